"""The command line, without a ds01d."""
