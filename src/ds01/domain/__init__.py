"""The rules of DS01: pure functions over frozen values.

Nothing here reads a clock, a file, a socket or an environment variable: ``now``, usage and inventory are
arguments. Whatever decides something returns the decision with its reason.
"""
