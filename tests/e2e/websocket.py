"""A websocket as a browser has it, as much of it as a notebook's kernel needs: text from here, frames from there."""

from __future__ import annotations

import base64
import os
import socket
import struct


class Websocket:
    """One connection to ``ws://localhost:port/path``."""

    def __init__(self, port: int, path: str) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), 300)
        key = base64.b64encode(os.urandom(16)).decode()
        self._sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Origin: http://localhost:{port}\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self._ahead = b""
        head = self._until(b"\r\n\r\n")
        self.status = int(head.split()[1])

    def send(self, text: str) -> None:
        data, mask = text.encode(), os.urandom(4)
        size = bytes([0xFE, *struct.pack(">H", len(data))]) if len(data) > 125 else bytes([0x80 | len(data)])
        self._sock.sendall(b"\x81" + size + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(data)))

    def receive(self) -> bytes:
        """The content of the next frame."""
        _, size = self._exactly(2)
        if size == 126:
            (size,) = struct.unpack(">H", self._exactly(2))
        elif size == 127:
            (size,) = struct.unpack(">Q", self._exactly(8))
        return self._exactly(size)

    def close(self) -> None:
        self._sock.close()

    def _until(self, end: bytes) -> bytes:
        while end not in self._ahead:
            self._more()
        head, _, self._ahead = self._ahead.partition(end)
        return head

    def _exactly(self, count: int) -> bytes:
        while len(self._ahead) < count:
            self._more()
        data, self._ahead = self._ahead[:count], self._ahead[count:]
        return data

    def _more(self) -> None:
        data = self._sock.recv(65536)
        assert data, "the connection ended"
        self._ahead += data
