"""The month of the server as a text, a table for other programs, or a page.

``sections`` says once what is told; ``markdown``, ``sheet`` and ``page`` write it down.
"""
