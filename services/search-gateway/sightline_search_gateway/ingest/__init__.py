"""What is known of ingestion, and what is asked of it."""
