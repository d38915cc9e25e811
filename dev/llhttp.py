"""llhttp, the parser of Node, as a second reader of requests: what another program would make of the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

import httptools


@dataclass(kw_only=True)
class Read:
    """One request as llhttp read it; header names in lower case."""

    method: str = ""
    target: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = False
    requests: int = 0

    @property
    def chunked(self) -> bool:
        """Whether its body comes in chunks."""
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    def on_message_begin(self) -> None:
        """Another request begins: only the first one is kept."""
        self.requests += 1

    def on_url(self, url: bytes) -> None:
        """Some of the target."""
        if self.requests == 1:
            self.target += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; several of a name count as one with commas."""
        if self.requests == 1:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        if self.requests == 1:
            self.body += body

    def on_message_complete(self) -> None:
        """All of it is there."""
        self.complete = True


def read_request(data: bytes) -> Read | None:
    """The first request in ``data``; None when there is none for llhttp. What follows it may be anything."""
    found = Read()
    parser = httptools.HttpRequestParser(found)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        found.complete = True
    except httptools.HttpParserError:
        if not found.complete:
            return None
    found.method = parser.get_method().decode("latin-1")
    return found
