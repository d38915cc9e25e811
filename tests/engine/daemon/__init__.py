"""ds01d and its parts on a real engine."""
