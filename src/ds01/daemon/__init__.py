"""ds01d: the one program that decides and the only writer of state. Wiring, loops, start and stop."""
