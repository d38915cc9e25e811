"""DS01 turns one shared GPU server into a laboratory.

``from ds01 import connect`` gives a client of ds01d; it is loaded when asked for, because every ``ds01`` command
imports this package first.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from ds01.client import Client, connect

__version__ = "0.1.0.dev0"
__all__ = ["Client", "__version__", "connect"]


def __getattr__(name: str) -> object:
    if name in ("Client", "connect"):
        from ds01 import client

        return getattr(client, name)
    raise AttributeError(f"module 'ds01' has no attribute '{name}'")
