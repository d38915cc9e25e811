"""A laptop's browser, for the lines that ds01 prints: through the socket that the tunnel would lead to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from dev.promises.lab import Student, expect

_TUNNEL = re.compile(r"ssh -N -L (\d+):(\S+) ")
_ADDRESS = re.compile(r"http://localhost:(\d+)(/\S*)")
_FETCH = """\
import http.client, socket, sys
class Way(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
link = Way("localhost", timeout=300)
link.request("GET", sys.argv[2])
answer = link.getresponse()
print(answer.status, answer.read().decode())
"""


def opens(student: Student, seen: str) -> None:
    """Open the address on the screen, as she would after typing the tunnel; it is JupyterLab, and nobody's without the
    token.
    """
    tunnel, address = _TUNNEL.search(seen), _ADDRESS.search(seen)
    if tunnel is None or address is None:
        expect(False, f"the screen shows no tunnel and no address: {seen}")
        return
    expect(tunnel[1] == address[1], f"the tunnel ends at port {tunnel[1]}, the address is at port {address[1]}")
    page = fetched(student, tunnel[2], address[2])
    expect(page.startswith("200 ") and "jupyterlab" in page.lower(), f"the address gave {page[:200]!r}")
    status = fetched(student, tunnel[2], "/api/kernels?token=wrong").split(" ")[0]
    expect(status == "403", f"with a wrong token it answered {status}")
    expect("token" in urlsplit(address[0]).query, "the address has no token")


def fetched(student: Student, socket: str, path: str) -> str:
    """Status and page."""
    return student.person.run("python3", "-c", _FETCH, socket, path).out
