"""Random sequences of changes to a bucket, after which catalogue and bucket must be equal."""
