"""ds01-gateway: the Docker API as users see it. Parses strictly, rebuilds everything, asks ds01d for every grant."""
