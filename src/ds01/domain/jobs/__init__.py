"""Jobs: commands that run to their end by themselves. What they are, when they may run, and how they end.

``job`` is the value and its states, ``array`` reads ``--array``, ``after`` what a job waits for, ``ending`` decides
what became of one and whether it is tried again, ``words`` says it to people.
"""
