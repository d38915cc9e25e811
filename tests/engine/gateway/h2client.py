"""A client of BuildKit's API that says exactly what a test wants: one call at a time, over the gateway's ``/grpc``."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded, StreamReset, TrailersReceived

from tests.engine.gateway.ground import User

CONTROL, BRIDGE = "/moby.buildkit.v1.Control/", "/moby.buildkit.v1.frontend.LLBBridge/"
UPGRADE = b"POST /grpc HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


@dataclass(kw_only=True)
class Said:
    """What came back: ``status`` is gRPC's, -1 when the call was reset."""

    status: int = -1
    message: str = ""
    data: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Client:
    """A connection to BuildKit's API."""

    def __init__(self, user: User) -> None:
        self.sock: socket.socket = user.connect()
        self.sock.sendall(UPGRADE)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.sock.recv(1)
        assert answer.startswith(b"HTTP/1.1 101"), answer
        self.h2 = H2Connection(H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.sock.close()

    def flush(self) -> None:
        """Send what h2 has to say."""
        self.sock.sendall(self.h2.data_to_send())

    def begin(self, path: str, metadata: Mapping[str, str] = {}) -> int:
        """The headers of a call."""
        number = self.h2.get_next_available_stream_id()
        self.h2.send_headers(number, [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"), ("te", "trailers"),
            ("content-type", "application/grpc"), *metadata.items(),
        ])  # fmt: skip
        self.flush()
        return number

    def call(self, path: str, message: bytes = b"", metadata: Mapping[str, str] = {}) -> Said:
        """A whole call."""
        number = self.begin(path, metadata)
        self.h2.send_data(number, b"\0" + len(message).to_bytes(4, "big") + message, end_stream=True)
        self.flush()
        return self.end(number)

    def end(self, number: int) -> Said:
        """Wait for the end of a call."""
        said = Said()
        while data := self.sock.recv(65536):
            for event in self.h2.receive_data(data):
                if isinstance(event, DataReceived):
                    said.data += event.data or b""
                    self.h2.acknowledge_received_data(event.flow_controlled_length or 0, number)
                elif isinstance(event, ResponseReceived | TrailersReceived):
                    said.headers |= {str(name): str(value) for name, value in event.headers or ()}
                    said.status = int(said.headers.get("grpc-status", "-1"))
                    said.message = said.headers.get("grpc-message", "")
                elif isinstance(event, StreamReset | StreamEnded) and event.stream_id == number:
                    self.flush()
                    return said
            self.flush()
        return said
