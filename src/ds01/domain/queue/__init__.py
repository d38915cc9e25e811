"""Sharing GPUs when there are not enough: who is next, who may slip in, and what everybody else waits for.

``request`` is what somebody waits for, ``booking`` what somebody was promised, ``usage`` what everybody had.
``decide`` is the one pass over all of it; ``explain`` says the same to the person who waits.
"""
