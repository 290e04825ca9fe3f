import { ApiError, errorOf } from './errors';
import { withKey } from './key-prompt';
import type { paths } from './schema';
import type { UploadAnswer } from './types';

export interface UploadOptions {
  /** Gets the share that has been sent, from 0 to 1. */
  onProgress?: (share: number) => void;
  signal?: AbortSignal;
}

/**
 * Sends a form by XMLHttpRequest, because fetch does not report how much has been sent. Rejects with `ApiError`, or with
 * an AbortError when the signal aborts.
 */
export async function postForm<T>(path: keyof paths, form: FormData, options: UploadOptions): Promise<T> {
  const request = await withKey('change', () => send(path, form, options));
  if (request.status < 200 || request.status >= 300)
    throw errorOf(request.status, request.responseText, request.getResponseHeader('retry-after'));
  try {
    return JSON.parse(request.responseText) as T;
  } catch {
    throw new ApiError(502, {});
  }
}

function send(path: string, form: FormData, { onProgress, signal }: UploadOptions): Promise<XMLHttpRequest> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('accept', 'application/json');
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress?.(event.loaded / event.total);
    };
    request.onload = () => resolve(request);
    request.onerror = () => reject(new ApiError(0, {}));
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort());
    request.send(form);
  });
}

/** Sends one picture into the bucket. */
export function uploadImage(
  file: File,
  folder: string | undefined,
  options: UploadOptions,
): Promise<UploadAnswer> {
  const form = new FormData();
  form.append('files', file, file.name);
  if (folder) form.set('folder', folder);
  return postForm('/api/v1/images', form, options);
}
