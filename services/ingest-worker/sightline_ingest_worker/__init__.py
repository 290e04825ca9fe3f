"""Brings a bucket's images into the catalogue: a Celery worker that indexes keys, and a watcher that finds them."""
