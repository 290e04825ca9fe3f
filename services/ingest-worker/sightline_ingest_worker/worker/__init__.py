"""The Celery worker: from a key to a vector and a record in the catalogue."""
