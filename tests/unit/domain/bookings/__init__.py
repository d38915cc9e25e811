"""Bookings as people make them."""
