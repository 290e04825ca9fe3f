"""The gateway's calls, a blueprint a topic."""
