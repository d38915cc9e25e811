"""The command line: a thin client that starts fast.

``commands/`` is the command tree: a folder is a noun, ``launch.py`` is what a verb does and ``launch_help.py``, next
to it, is what it is called, takes and says. The rest of this package turns those into a program.
"""
