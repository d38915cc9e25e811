"""Bookings: making and giving them up, what of them binds now, taking one's part, and what happens when time comes.

A booking is a row of the ledger for each of its dates. Whether it can be promised is ``domain.queue.seating``; that it
is kept is a matter of the one way to a lease, which reads ``standing`` in every pass.
"""
