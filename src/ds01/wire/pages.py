"""How much one answer of ds01d has: whoever wants more asks for the next page."""

ROWS = 1000
"""Events or jobs in one answer."""
