"""Clients of the catalogue and the watcher."""
