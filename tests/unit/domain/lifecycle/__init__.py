"""The rules of a container's life."""
