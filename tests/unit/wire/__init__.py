"""The types of the wire."""
