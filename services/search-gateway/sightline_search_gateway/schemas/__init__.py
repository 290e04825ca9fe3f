"""What goes in and comes out, for validation and for the OpenAPI document; a module for each of the routes'."""
