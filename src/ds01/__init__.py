"""DS01 turns one shared GPU server into a laboratory.

``from ds01 import connect`` gives the server to a script; it is loaded when asked for, because every ``ds01`` command
imports this package first.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from ds01.client.daemon import Client
    from ds01.domain.errors import Ds01Error
    from ds01.sdk import Lab, connect

__version__ = "0.1.0.dev0"
__all__ = ["Client", "Ds01Error", "Lab", "__version__", "connect"]


def __getattr__(name: str) -> object:
    if name in ("Lab", "connect", "Ds01Error"):
        from ds01 import sdk

        return getattr(sdk, name)
    if name == "Client":
        from ds01.client.daemon import Client

        return Client
    raise AttributeError(f"module 'ds01' has no attribute '{name}'")
