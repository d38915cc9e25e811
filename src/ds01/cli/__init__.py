"""The command line: the folder tree is the command tree."""
