"""Tests of project files: reading, editing, recipes."""
