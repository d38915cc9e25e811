"""Headers of a tar archive, read as they come and written anew.

Programs do not agree about what an archive says: which of two notes counts, whether a file whose name ends with a slash
is a folder and has content, where a name is in a header of another form. Where the engine read it in another way than
the gateway, a whole archive could lie in what one of them takes for a file. So no header of an archive's passes on,
only ours, which say what was understood, in the one form that leaves nothing open (``ustar``, and ``pax`` for what that
has no room for). Fields that only say whose a file is and how old go on as they came.

Source: POSIX.1-2017, pax, ustar Interchange Format and pax Header Block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ds01.domain.dockerpolicy.verdict import malformed, not_allowed

BLOCK = 512
NAME_BYTES = 4096
"""The longest path."""

FILE, LINK, SYMLINK, FOLDER = b"0125"
OLD_FILE = 0
"""What a file was before there were kinds; one whose name ends with a slash is a folder."""

LONG_NAME, LONG_LINK, RECORDS, RECORDS_OF_ALL = b"LKxg"
NOTES = frozenset((LONG_NAME, LONG_LINK, RECORDS, RECORDS_OF_ALL))
"""Entries that say something of the next one."""

SHORTER = "Use shorter names of folders and files."
DAMAGED = "The archive is damaged"
_LARGEST = 8**11 - 1
"""Bytes that the field of a size has room for."""

_FIELD_BYTES = 100
_KEPT = frozenset((b"uid", b"gid", b"uname", b"gname", b"mtime", b"atime", b"ctime"))
_ATTRIBUTE = b"SCHILY.xattr."
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
_RECORD = re.compile(rb"(\d{1,10}) ([^=]+)=", re.DOTALL)
_USTAR = (b"ustar\0", b"ustar ")


def check_sum(header: bytes, *, first: bool) -> None:
    """Raises RefusedError where this is no header; ``first``: not even the first one."""
    total = sum(header) - sum(header[148:156]) + 8 * 0x20
    match = _OCTAL.fullmatch(header[148:156])
    if match is None or not match[1] or int(match[1], 8) != total:
        what = "The archive must be a plain tar archive" if first else DAMAGED
        raise malformed("archive.tar", what, "Send it without compression." if first else "")


def size_of(header: bytes) -> int:
    """The bytes of its content. Raises RefusedError."""
    text = header[124:136]
    if text[0] == 0x80:
        return int.from_bytes(text[1:], "big")
    match = _OCTAL.fullmatch(text)
    if match is None:
        raise malformed("archive.tar", DAMAGED)
    return int(match[1] or b"0", 8)


def decimal(text: bytes) -> int:
    """A size in a note. Raises RefusedError."""
    if not text.isdigit() or len(text) > 15:
        raise malformed("archive.tar", DAMAGED)
    return int(text)


def name_of(header: bytes) -> bytes:
    """The name in the header itself."""
    name = header[:_FIELD_BYTES].split(b"\0", 1)[0]
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def link_of(header: bytes) -> bytes:
    """Where a link in the header itself leads."""
    return header[157:257].split(b"\0", 1)[0]


def path_of(name: bytes) -> str:
    """A name as a path: no dots, no doubled slashes. Raises RefusedError."""
    _check_name(name)
    parts = [part for part in name.decode("utf-8", "surrogateescape").split("/") if part not in ("", ".")]
    return "/".join(parts)


def _check_name(name: bytes) -> None:
    if len(name) > NAME_BYTES:
        raise malformed("archive.tar", f"The archive has a path of more than {NAME_BYTES} bytes", SHORTER)
    if b"\0" in name:
        raise malformed("archive.tar", DAMAGED)


def each_record(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The records of a note, by their names. Raises RefusedError."""
    at = 0
    while at < len(content):
        match = _RECORD.match(content, at)
        if match is None:
            raise malformed("archive.tar", DAMAGED)
        end = at + int(match[1])
        if end <= match.end() or end > len(content) or content[end - 1 : end] != b"\n":
            raise malformed("archive.tar", DAMAGED)
        if match[2].startswith(b"GNU.sparse"):
            raise not_allowed("archive.tar", "a sparse file in an archive")
        yield match[2], content[match.end() : end - 1]
        at = end


def written(
    header: bytes, kind: int, size: int, path: str, link: bytes, records: Mapping[bytes, bytes]
) -> bytes:  # fmt: skip
    """What the engine gets instead of ``header`` and the notes before it, of which these are the ``records``. Raises
    RefusedError for a name that no entry has.
    """
    name = path.encode("utf-8", "surrogateescape")
    if not name and kind != FOLDER:
        raise malformed("archive.tar", "The archive has a file without a name")
    _check_name(link)
    if kind == FOLDER:
        name = (name or b".") + b"/"
    told = {key: value for key, value in records.items() if key in _KEPT or key.startswith(_ATTRIBUTE)}
    if len(name) > _FIELD_BYTES:
        told[b"path"] = name
    if len(link) > _FIELD_BYTES:
        told[b"linkpath"] = link
    if size > _LARGEST:
        told[b"size"] = b"%d" % size
    block = bytearray(BLOCK)
    block[100:124], block[136:148] = header[100:124], header[136:148]
    if header[257:263] in _USTAR:
        block[265:329] = header[265:329]
    block[: min(len(name), _FIELD_BYTES)] = name[:_FIELD_BYTES]
    block[157 : 157 + min(len(link), _FIELD_BYTES)] = link[:_FIELD_BYTES]
    return _note(told) + _ended(block, kind, size)


def entry(name: str, content: bytes) -> bytes:
    """A file of the archive, whole."""
    return _ended(_plain(name.encode("ascii")), FILE, len(content)) + content + b"\0" * (-len(content) % BLOCK)


def _note(records: Mapping[bytes, bytes]) -> bytes:
    if not records:
        return b""
    content = b"".join(_record(name, value) for name, value in records.items())
    header = _ended(_plain(b"PaxHeaders/entry"), RECORDS, len(content))
    return header + content + b"\0" * (-len(content) % BLOCK)


def _record(name: bytes, value: bytes) -> bytes:
    """It begins with its own length, digits included."""
    rest = b" " + name + b"=" + value + b"\n"
    length = len(rest) + len(str(len(rest)))
    return b"%d" % (length + (len(str(length)) > len(str(len(rest))))) + rest


def _plain(name: bytes) -> bytearray:
    block = bytearray(BLOCK)
    block[: len(name)] = name
    block[100:124] = b"0000644\0" + b"0000000\0" * 2
    block[136:148] = b"00000000000\0"
    return block


def _ended(block: bytearray, kind: int, size: int) -> bytes:
    """With its size, its kind and its sum."""
    block[124:136] = b"%011o\0" % min(size, _LARGEST)
    block[156] = kind
    block[257:265] = b"ustar\00000"
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)
