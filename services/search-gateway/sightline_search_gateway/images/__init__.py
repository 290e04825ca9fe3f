"""Images in three sizes, and changes of the bucket."""
