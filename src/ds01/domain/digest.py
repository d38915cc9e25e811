"""SHA-256, for who has no time for OpenSSL: importing ``hashlib`` loads it, which takes longer than a hash."""

from __future__ import annotations

try:
    from _sha256 import sha256  # type: ignore[import-not-found]  # Python's own, as its ``random`` has it; up to 3.11
except ImportError:
    try:
        from _sha2 import sha256  # type: ignore[import-not-found]  # from 3.12 on
    except ImportError:
        from hashlib import sha256

__all__ = ["sha256_hex"]


def sha256_hex(content: bytes) -> str:
    """The SHA-256 of some bytes, as 64 hexadecimal digits."""
    return str(sha256(content).hexdigest())
