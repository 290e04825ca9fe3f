"""Indexes a bucket's images: a watcher that finds what changed, and a Celery worker that encodes and stores it."""
