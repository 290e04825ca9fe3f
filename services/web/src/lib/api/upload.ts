import { ApiError, errorOf } from './errors';
import type { UploadAnswer } from './types';

/**
 * Sends one picture into the bucket. XMLHttpRequest, because fetch does not report how much has been sent.
 * `onProgress` gets a share from 0 to 1. Rejects with `ApiError`, or with an AbortError when `signal` aborts.
 */
export function uploadPicture(
  file: File,
  options: { folder?: string | undefined; onProgress?: (share: number) => void; signal?: AbortSignal },
): Promise<UploadAnswer> {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append('files', file, file.name);
    if (options.folder) form.set('folder', options.folder);

    const request = new XMLHttpRequest();
    request.open('POST', '/api/v1/images');
    request.setRequestHeader('accept', 'application/json');
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) options.onProgress?.(event.loaded / event.total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        try {
          resolve(JSON.parse(request.responseText) as UploadAnswer);
        } catch {
          reject(new ApiError(502, {}));
        }
      } else {
        reject(errorOf(request.status, request.responseText, request.getResponseHeader('retry-after')));
      }
    };
    request.onerror = () => reject(new ApiError(0, {}));
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'));
    options.signal?.addEventListener('abort', () => request.abort());
    request.send(form);
  });
}
