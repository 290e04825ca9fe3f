"""The Celery worker: indexes keys, from the object to its vector and record in the catalogue."""
