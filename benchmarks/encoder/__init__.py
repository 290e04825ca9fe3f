"""The encoder measured, part by part: `make bench-encoder`."""
