"""The Python client of ds01d: used by the command line, the tests and users' scripts."""
