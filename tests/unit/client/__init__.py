"""The client of ds01d."""
