"""How much one answer of ds01d has: whoever wants more asks for the next page."""

ROWS = 1000
"""Events or jobs in one answer."""

FURTHEST = 100_000
"""So many of the latest may be left out where the rest of a list is asked for."""
