"""The watcher: what is new, changed or gone in the bucket."""
