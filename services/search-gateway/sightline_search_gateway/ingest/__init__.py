"""The state of ingestion, retries of failed images, and names of uploads."""
