"""ds01d's HTTP face: one router per noun."""
