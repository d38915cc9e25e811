"""Bookings as people make them: times as they say them, weeks, what they may book, what is possible instead.

The slots are a matter of ``domain.queue``: ``booking`` is what was promised, ``seating`` whether it can be kept.
"""
