"""The Python client of ds01d, and the public SDK: ``from ds01 import connect``.

Standard library only, and not even ``http.client``: it would take longer to import than ds01d takes to answer.
"""

from ds01.client.daemon import Client, connect

__all__ = ["Client", "connect"]
