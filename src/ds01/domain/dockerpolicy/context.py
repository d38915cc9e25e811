"""A tar archive, read on its way to the engine: its end is ours.

Files pass as they come; some are kept, some are left out. For a build the Dockerfile and ``.dockerignore`` are kept;
at the end of the archive the engine gets two more entries, written here: the judged Dockerfile under a name nobody
could guess, and a ``.dockerignore`` that takes both out of the context again. Whatever an archive hides from this
reader, the engine builds from our Dockerfile or finds none. For images that are loaded it is the list of their names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from ds01.domain.dockerpolicy.verdict import malformed, not_allowed

BLOCK = 512
KEPT_BYTES = 1024 * 1024
ENTRIES = 20_000
"""Small files and links of an archive whose digests are kept."""

NOTES = 4
"""Longer names, links and the like that an entry may have in front of it: tar and Go write two at most."""

NOTE_BYTES, RECORDS = 64 * 1024, 1000
"""What a note may have in it: a name or, in the newer form, times, names and attributes, a dozen records in all."""

NAME_BYTES, DEPTH, NAMES_BYTES = 4096, 255, 4 * 1024 * 1024
"""The longest path, the folders it may lead through, and the paths that are kept together with their digests."""

END = b"\0" * (2 * BLOCK)
IGNORE = ".dockerignore"
DOCKERFILE = "Dockerfile"
_ZERO = b"\0" * BLOCK
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*")
_FILES = frozenset(b"0\0")
_EMPTY = frozenset(b"125")
_LINKS = frozenset(b"12")
_NOTES = frozenset(b"xgLK")
_SHORTER = "Use shorter names of folders and files."
_FEWER = "Pack it without extended attributes (tar --no-xattrs), and use shorter names."
_PAX = re.compile(rb"(\d{1,10}) ([^=]+)=", re.DOTALL)

Piece = bytes | memoryview


@dataclass(kw_only=True)
class _Entry:
    """The entry that is being read: its kind, what is left of its data, and where that is kept, if it is."""

    kind: int = 0
    left: int = 0
    padding: int = 0
    path: str = ""
    kept: bytearray | None = None
    dropped: bool = False


@dataclass(kw_only=True)
class Context:
    """Reads an archive as it comes. ``wanted`` are the paths whose content is kept, ``dropped`` those left out,
    ``late`` those that wait for the end, where whoever reads decides about them.

    ``digested``: of every small file the digest is kept, and nothing is written through a link, so that the digest is
    of what will lie under that path.
    """

    wanted: frozenset[str]
    dropped: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    digested: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, list[bytes]] = field(default_factory=dict)
    """The entries of ``late``, as they came."""
    ended: bool = False
    steps: int = 0
    """Headers and records of notes that were read: what they cost has to do with how many they are, not how long."""
    _links: set[str] = field(default_factory=set)
    _held: list[bytes] = field(default_factory=list)
    _noted: list[int] = field(default_factory=list)
    """The sizes of the notes that are held."""
    _named: int = 0
    _header: bytearray = field(default_factory=bytearray)
    _entry: _Entry = field(default_factory=_Entry)
    _long_name: str = ""
    _size: int | None = None
    _begun: bool = False

    def feed(self, data: Piece) -> list[Piece]:
        """What may pass on of ``data``; nothing of the archive's end."""
        view, out = memoryview(data), list[Piece]()
        while len(view) and not self.ended:
            view = self._data(view, out) if self._entry.left else self._read_header(view, out)
        return out

    def finish(self) -> None:
        """The body is over; an archive may end without its last blocks, but not inside an entry."""
        if self._entry.left or self._header:
            raise malformed("archive.tar", "The archive ends in the middle of a file")
        if not self._begun:
            raise malformed("archive.tar", "The archive is empty")

    def _data(self, view: memoryview, out: list[Piece]) -> memoryview:
        entry = self._entry
        part = view[: entry.left]
        self._pass(part, out)
        if entry.kept is not None:
            entry.kept += part
        entry.left -= len(part)
        if not entry.left:
            self._entry_ended()
        return view[len(part) :]

    def _read_header(self, view: memoryview, out: list[Piece]) -> memoryview:
        need = BLOCK - len(self._header)
        self._header += view[:need]
        if len(self._header) == BLOCK:
            self.steps += 1
            header = bytes(self._header)
            self._header.clear()
            if header == _ZERO:
                self.ended = True
            else:
                self._begin(header, out)
        return view[need:]

    def _pass(self, piece: Piece, out: list[Piece]) -> None:
        """Notes wait for the entry they are about, and share its fate."""
        if self._entry.kind in _NOTES:
            self._held.append(bytes(piece))
        elif self._entry.path in self.late:
            self.waiting[self._entry.path].append(bytes(piece))
        elif not self._entry.dropped:
            out.append(piece)

    def _begin(self, header: bytes, out: list[Piece]) -> None:
        _check_sum(header, first=not self._begun)
        self._begun = True
        kind, size = header[156], _number(header[124:136])
        if kind not in _FILES | _EMPTY | _NOTES:
            raise not_allowed("archive.tar", "a device or a sparse file in an archive")
        if kind not in _NOTES and self._size is not None:
            size = self._size
        if kind in _EMPTY and size:
            raise malformed("archive.tar", "The archive has a folder or link with content")
        path = _path(header) if not self._long_name or kind in _NOTES else self._long_name
        wanted = kind in _NOTES or (kind in _FILES and path in self.wanted | self.late)
        keep = wanted or (self.digested and kind in _FILES and size <= KEPT_BYTES)
        if (wanted or path in self.dropped) and size > KEPT_BYTES:
            raise malformed("archive.tar", f"{path} is larger than {KEPT_BYTES} bytes")
        if kind in _NOTES:
            self._one_more_note(size)
        padding = -size % BLOCK
        self._entry = _Entry(kind=kind, left=size + padding, padding=padding, path=path,
                             kept=bytearray() if keep else None, dropped=path in self.dropped)  # fmt: skip
        if kind not in _NOTES:
            self._placed(kind, path)
            if path in self.late:
                self.waiting[path] = [*self._held]
            elif not self._entry.dropped:
                out += self._held
            self._held.clear()
            self._noted.clear()
        self._pass(header, out)
        if not self._entry.left:
            self._entry_ended()

    def _one_more_note(self, size: int) -> None:
        """Notes are held until the entry they are about, which may never come."""
        if size > NOTE_BYTES:
            what = f"The archive has attributes or a path of more than {NOTE_BYTES} bytes"
            raise malformed("archive.tar", what, _FEWER)
        self._noted.append(size)
        if len(self._noted) > NOTES or sum(self._noted) > 2 * NOTE_BYTES:
            what = (
                f"An entry has more than {NOTES} notes or {2 * NOTE_BYTES} bytes of notes in front of it in the archive"
            )
            raise malformed("archive.tar", what, "Make it with tar or docker save.")

    def _placed(self, kind: int, path: str) -> None:
        """Something new lies under this path."""
        self.digests.pop(path, None)
        if kind not in _FILES:
            self.files.pop(path, None)
        if not self.digested:
            return
        parts = path.split("/")
        if len(parts) > DEPTH:
            raise malformed("archive.tar", f"The archive has a path of more than {DEPTH} folders", _SHORTER)
        if ".." in parts or (self._links and any(folder in self._links for folder in accumulate(parts[:-1], _below))):
            raise malformed("archive.tar", "The archive writes through a link")
        if kind in _LINKS:
            self._links.add(path)
        else:
            self._links.discard(path)
        self._named += len(path) if kind in _FILES | _LINKS else 0
        if len(self.digests) + len(self._links) > ENTRIES or self._named > NAMES_BYTES:
            raise malformed("archive.tar", "The archive has too many entries")

    def _entry_ended(self) -> None:
        entry = self._entry
        content = b"" if entry.kept is None else bytes(entry.kept[: len(entry.kept) - entry.padding])
        if entry.kind in _NOTES:
            self._note(entry.kind, content)
        else:
            self._long_name, self._size = "", None
            if entry.kept is not None and entry.path in self.wanted | self.late:
                self.files[entry.path] = content
            if entry.kept is not None and self.digested:
                self.digests[entry.path] = hashlib.sha256(content).hexdigest()

    def _note(self, kind: int, content: bytes) -> None:
        """A longer name or another size for the entry that follows."""
        if kind == ord("L"):
            self._long_name = _clean(content.rstrip(b"\0"))
        elif kind == ord("x"):
            records = self._records(content)
            if b"path" in records:
                self._long_name = _clean(records[b"path"])
            if b"size" in records:
                self._size = _decimal(records[b"size"])
        elif kind == ord("g") and {b"path", b"size"} & set(self._records(content)):
            raise malformed("archive.tar", "The archive names files for all entries at once")

    def _records(self, content: bytes) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for count, (name, value) in enumerate(_each_record(content), 1):
            if count > RECORDS:
                raise malformed("archive.tar", f"An entry of the archive has more than {RECORDS} attributes", _FEWER)
            self.steps += 1
            found[name] = value
        return found


def _check_sum(header: bytes, *, first: bool) -> None:
    total = sum(header) - sum(header[148:156]) + 8 * 0x20
    match = _OCTAL.fullmatch(header[148:156])
    if match is None or not match[1] or int(match[1], 8) != total:
        what = "The archive must be a plain tar archive" if first else "The archive is damaged"
        raise malformed("archive.tar", what, "Send it without compression." if first else "")


def _number(text: bytes) -> int:
    if text[0] == 0x80:
        return int.from_bytes(text[1:], "big")
    match = _OCTAL.fullmatch(text)
    if match is None:
        raise malformed("archive.tar", "The archive is damaged")
    return int(match[1] or b"0", 8)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 15:
        raise malformed("archive.tar", "The archive is damaged")
    return int(text)


def _path(header: bytes) -> str:
    name = header[:100].split(b"\0", 1)[0]
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return _clean(prefix + b"/" + name if prefix else name)


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}"


def _clean(name: bytes) -> str:
    if len(name) > NAME_BYTES:
        raise malformed("archive.tar", f"The archive has a path of more than {NAME_BYTES} bytes", _SHORTER)
    parts = [part for part in name.decode("utf-8", "surrogateescape").split("/") if part not in ("", ".")]
    return "/".join(parts)


def _each_record(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        match = _PAX.match(content, at)
        if match is None:
            raise malformed("archive.tar", "The archive is damaged")
        end = at + int(match[1])
        if end <= match.end() or end > len(content) or content[end - 1 : end] != b"\n":
            raise malformed("archive.tar", "The archive is damaged")
        if match[2].startswith(b"GNU.sparse"):
            raise not_allowed("archive.tar", "a sparse file in an archive")
        yield match[2], content[match.end() : end - 1]
        at = end


def dockerfiles(path: str) -> frozenset[str]:
    """Where the Dockerfile of a build may be: the default's name is found in small letters as well."""
    return frozenset({path, path.lower()} if path == DOCKERFILE else {path})


def dockerfile_in(context: Context, path: str) -> bytes | None:
    """The Dockerfile of what was read; None when it has none there."""
    found = context.files.get(path)
    return context.files.get(path.lower()) if found is None and path == DOCKERFILE else found


def entry(name: str, content: bytes) -> bytes:
    """A file of the archive, whole."""
    header = bytearray(BLOCK)
    header[: len(name)] = name.encode("ascii")
    header[100:108], header[108:116], header[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    header[124:136], header[136:148] = b"%011o\0" % len(content), b"00000000000\0"
    header[156:157], header[257:265] = b"0", b"ustar\00000"
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + content + b"\0" * (-len(content) % BLOCK)
