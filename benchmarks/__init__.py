"""Speed and quality, each a command that prints a table and writes figures and a picture into `results/`."""
