"""What the API speaks: answers, problems, files, metrics, and the document that describes it."""
