import type { Attachment } from 'svelte/attachments';

/** Runs something whenever the element comes into view, or within so many pixels of it. */
export function onInView(run: () => void, margin = 0): Attachment {
  return (element) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) run();
      },
      { rootMargin: `${margin}px` },
    );
    observer.observe(element);
    return () => observer.disconnect();
  };
}
