"""ds01d: wiring, loops, start and stop."""
