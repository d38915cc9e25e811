"""DS01 turns one shared GPU server into a laboratory."""

__version__ = "0.1.0.dev0"
