"""Facts of a request, computed by small typed functions that a request type names in its YAML."""
