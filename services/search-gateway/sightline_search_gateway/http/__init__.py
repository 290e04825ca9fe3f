"""HTTP: parameters, answers, problems, static files, metrics, and the OpenAPI document."""
