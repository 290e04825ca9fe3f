"""The experiments of the report that Sightline goes back to, as one command: `make report`."""
