"""Jobs: submitted once and durably, then carried through by ds01d alone, whoever logs out and whatever is killed.

``submit`` writes a job down. ``advance`` decides, in one transaction over the ledger, what follows for all that are
open; what must be done outside it (``begin``, ``end``, ``clear``) is started by ``runner`` and may be done twice.
"""
