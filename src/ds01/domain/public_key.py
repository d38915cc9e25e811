"""What may be registered as the public key of somebody's laptop: one whole OpenSSH public key, and never a private one.

A key that sshd would skip without a word is refused here with a sentence. No sentence repeats what was given: it may
be the wrong half of the pair.
"""

from __future__ import annotations

import base64
import binascii
import re

from ds01.domain.record import record

LEAST_RSA_BITS = 2048
_CURVES = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
_FIELDS = {
    "ssh-ed25519": 2,
    "ssh-rsa": 3,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2-nistp256@openssh.com": 4,
}
"""Every kind, with how many fields a key of it has."""
_PRIVATE = re.compile(r"PRIVATE\s+KEY|PuTTY-User-Key-File|^-----BEGIN", re.IGNORECASE | re.MULTILINE)
_OTHER_FORM = re.compile(r"BEGIN SSH2 PUBLIC KEY")


class PrivateKeyError(ValueError):
    """What was given is the private half."""


@record
class PublicKey:
    """One key. ``material`` is what tells it from every other; ``comment`` is what its owner calls it."""

    kind: str
    material: str
    comment: str = ""

    @property
    def line(self) -> str:
        """The key as ``authorized_keys`` has it."""
        return " ".join(part for part in (self.kind, self.material, self.comment) if part)


def is_private(text: str) -> bool:
    """Whether this is, or begins like, the half that nobody should see."""
    return _PRIVATE.search(text) is not None and not _OTHER_FORM.search(text)


def read(text: str) -> PublicKey:
    """The key in this text. Raises ValueError with a sentence; PrivateKeyError when it is a private one."""
    if is_private(text):
        raise PrivateKeyError(
            "That is a private key. It stays on your laptop and is given to nobody; nothing of it was stored"
        )
    if _OTHER_FORM.search(text):
        raise ValueError("That is a public key as PuTTY saves it; copy the one line that PuTTYgen shows for OpenSSH")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) != 1:
        raise ValueError("There is no key in it" if not lines else "It has more than one line; give one key")
    return _key(lines[0].split())


def _key(words: list[str]) -> PublicKey:
    kind = words[0]
    if kind == "ssh-dss":
        raise ValueError("DSA keys are too weak and no server takes them any more; make one with ssh-keygen -t ed25519")
    if kind not in _FIELDS or len(words) < 2:
        raise ValueError("It is no public key; one begins with ssh-ed25519, ssh-rsa or ecdsa-sha2 and is one line")
    comment = " ".join(words[2:])
    if not all(letter.isprintable() for letter in comment):
        raise ValueError("The comment behind the key has characters that cannot be shown")
    _checked(kind, words[1])
    return PublicKey(kind=kind, material=words[1], comment=comment)


def _checked(kind: str, material: str) -> None:
    """sshd takes a key apart before it uses it; so is it here. Raises ValueError."""
    cut = ValueError("The key is not whole: something was lost while it was copied")
    try:
        fields = _fields(base64.b64decode(material, validate=True))
    except (binascii.Error, IndexError):
        raise cut from None
    if len(fields) != _FIELDS[kind] or fields[0] != kind.encode():
        raise cut
    if kind == "ssh-rsa" and int.from_bytes(fields[2], "big").bit_length() < LEAST_RSA_BITS:
        raise ValueError(f"An RSA key needs {LEAST_RSA_BITS} bits at least; make one with ssh-keygen -t ed25519")
    if "ed25519" in kind and len(fields[1]) != 32:
        raise cut
    if "ecdsa" in kind and _CURVES.get(fields[1].decode("ascii", "replace")) != len(fields[2]):
        raise cut


def _fields(blob: bytes) -> list[bytes]:
    """A key is fields, each behind its length in four bytes. Raises IndexError when they do not come out even."""
    found = []
    while blob:
        size = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + size:
            raise IndexError
        found.append(blob[4 : 4 + size])
        blob = blob[4 + size :]
    return found
