"""The watcher: finds what is new, changed or gone in the bucket, and queues it for the workers."""
