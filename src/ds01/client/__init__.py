"""The Python client of ds01d, a method for everything it does. The SDK (``ds01.sdk``) and the command line use it.

Standard library only, and not even ``http.client``: it would take longer to import than ds01d takes to answer. The
parts are loaded when asked for, because completion needs one of them and has no time for the others.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from ds01.client.daemon import Client, connect

__all__ = ["Client", "connect"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from ds01.client import daemon

        return getattr(daemon, name)
    raise AttributeError(f"module 'ds01.client' has no attribute '{name}'")
