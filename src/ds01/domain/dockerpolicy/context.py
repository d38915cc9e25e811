"""A tar archive, read on its way to the engine: its end is ours.

Files pass as they come, each behind a header of ours (``tarhead``); some are kept, some are left out. For a build the
Dockerfile and ``.dockerignore`` are kept; at the end of the archive the engine gets two more entries, written here: the
judged Dockerfile under a name nobody could guess, and a ``.dockerignore`` that takes both out of the context again. For
images that are loaded it is the list of their names.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import accumulate

from ds01.domain.dockerpolicy import tarhead
from ds01.domain.dockerpolicy.tarhead import BLOCK, FILE, FOLDER, LINK, OLD_FILE, SHORTER, SYMLINK
from ds01.domain.dockerpolicy.verdict import malformed, not_allowed

KEPT_BYTES = 1024 * 1024
ENTRIES = 20_000
"""Small files and links of an archive whose digests are kept."""

NOTES = 4
"""Longer names, links and the like that an entry may have in front of it: tar and Go write two at most."""

NOTE_BYTES, RECORDS = 64 * 1024, 1000
"""What a note may have in it: a name or, in the newer form, times, names and attributes, a dozen records in all."""

DEPTH, NAMES_BYTES = 255, 4 * 1024 * 1024
"""The folders a path may lead through, and the paths that are kept, together with their digests."""

END = b"\0" * (2 * BLOCK)
IGNORE = ".dockerignore"
DOCKERFILE = "Dockerfile"
_ZERO = b"\0" * BLOCK
_FILES = frozenset((FILE, OLD_FILE))
_EMPTY = frozenset((LINK, SYMLINK, FOLDER))
_LINKS = frozenset((LINK, SYMLINK))
_FEWER = "Pack it without extended attributes (tar --no-xattrs), and use shorter names."

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

    ``digested``: of every small file the digest is kept, nothing is written through a link, and no folder in which
    something lies is replaced, so that the digest is of what will lie under that path.
    """

    wanted: frozenset[str]
    dropped: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    digested: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, list[bytes]] = field(default_factory=dict)
    """The entries of ``late``, as they would have passed."""
    ended: bool = False
    steps: int = 0
    """Headers and records of notes that were read: what they cost has to do with how many they are, not how long."""
    _links: set[str] = field(default_factory=set)
    _folders: set[str] = field(default_factory=set)
    """Those in which something was placed."""
    _noted: list[int] = field(default_factory=list)
    """The sizes of the notes of the next entry."""
    _told: dict[bytes, bytes] = field(default_factory=dict)
    """The records among them."""
    _long_name: bytes = b""
    _long_link: bytes = b""
    _size: int | None = None
    _named: int = 0
    _header: bytearray = field(default_factory=bytearray)
    _entry: _Entry = field(default_factory=_Entry)
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
        """Of notes nothing passes: the header of the entry they are about says it."""
        if self._entry.kind in tarhead.NOTES or self._entry.dropped:
            return
        if self._entry.path in self.late:
            self.waiting[self._entry.path].append(bytes(piece))
        else:
            out.append(piece)

    def _begin(self, header: bytes, out: list[Piece]) -> None:
        tarhead.check_sum(header, first=not self._begun)
        self._begun = True
        kind, size = header[156], tarhead.size_of(header)
        if kind in tarhead.NOTES:
            self._one_more_note(size)
            self._enter(_Entry(kind=kind, kept=bytearray()), size)
        elif kind in _FILES | _EMPTY:
            self._begin_entry(header, size if self._size is None else self._size, out)
        else:
            raise not_allowed("archive.tar", "a device or a sparse file in an archive")
        if not self._entry.left:
            self._entry_ended()

    def _enter(self, entry: _Entry, size: int) -> None:
        entry.padding = -size % BLOCK
        entry.left = size + entry.padding
        self._entry = entry

    def _begin_entry(self, header: bytes, size: int, out: list[Piece]) -> None:
        kind, name = header[156], self._long_name or tarhead.name_of(header)
        if kind in _FILES:
            kind = FOLDER if name.endswith(b"/") else FILE
        if kind in _EMPTY and size:
            raise malformed("archive.tar", "The archive has a folder or link with content")
        path, link = tarhead.path_of(name), b""
        if kind in _LINKS:
            link = self._long_link or tarhead.link_of(header)
        wanted = kind == FILE and path in self.wanted | self.late
        keep = wanted or (self.digested and kind == FILE and size <= KEPT_BYTES)
        if (wanted or path in self.dropped) and size > KEPT_BYTES:
            raise malformed("archive.tar", f"{path} is larger than {KEPT_BYTES} bytes")
        self._placed(kind, path)
        if path in self.late:
            self.waiting[path] = []
        kept, dropped = bytearray() if keep else None, path in self.dropped
        self._enter(_Entry(kind=kind, path=path, kept=kept, dropped=dropped), size)
        self._pass(tarhead.written(header, kind, size, path, link, self._told), out)
        self._forget_notes()

    def _forget_notes(self) -> None:
        self._long_name, self._long_link, self._size = b"", b"", None
        self._told.clear()
        self._noted.clear()

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
        if kind != FILE:
            self.files.pop(path, None)
        if self.digested:
            self._check_place(kind, path)

    def _check_place(self, kind: int, path: str) -> None:
        parts = path.split("/")
        if len(parts) > DEPTH:
            raise malformed("archive.tar", f"The archive has a path of more than {DEPTH} folders", SHORTER)
        folders = [*accumulate(parts[:-1], _below)]
        if ".." in parts or not self._links.isdisjoint(folders):
            raise malformed("archive.tar", "The archive writes through a link")
        if kind == FOLDER:
            self._links.discard(path)
            return
        if path in self._folders:
            raise malformed("archive.tar", "The archive puts a file or a link in the place of a folder")
        new = [folder for folder in folders if folder not in self._folders]
        self._folders.update(new)
        (self._links.add if kind in _LINKS else self._links.discard)(path)
        self._named += len(path) + sum(map(len, new))
        if len(self.digests) + len(self._links) + len(self._folders) > ENTRIES or self._named > NAMES_BYTES:
            raise malformed("archive.tar", "The archive has too many entries")

    def _entry_ended(self) -> None:
        entry = self._entry
        if entry.kept is None:
            return
        content = bytes(entry.kept[: len(entry.kept) - entry.padding])
        if entry.kind in tarhead.NOTES:
            self._note(entry.kind, content)
            return
        if entry.path in self.wanted | self.late:
            self.files[entry.path] = content
        if self.digested:
            self.digests[entry.path] = hashlib.sha256(content).hexdigest()

    def _note(self, kind: int, content: bytes) -> None:
        """What is said of the entry that follows, or of all."""
        if kind == tarhead.LONG_NAME:
            self._long_name = content.rstrip(b"\0")
        elif kind == tarhead.LONG_LINK:
            self._long_link = content.rstrip(b"\0")
        elif kind == tarhead.RECORDS:
            self._told |= self._records(content)
            self._long_name = self._told.get(b"path", self._long_name)
            self._long_link = self._told.get(b"linkpath", self._long_link)
            self._size = tarhead.decimal(self._told[b"size"]) if b"size" in self._told else None
        elif {b"path", b"linkpath", b"size"} & set(self._records(content)):
            raise malformed("archive.tar", "The archive names files for all entries at once")

    def _records(self, content: bytes) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for count, (name, value) in enumerate(tarhead.each_record(content), 1):
            if count > RECORDS:
                raise malformed("archive.tar", f"An entry of the archive has more than {RECORDS} attributes", _FEWER)
            self.steps += 1
            found[name] = value
        return found


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}"


def dockerfiles(path: str) -> frozenset[str]:
    """Where the Dockerfile of a build may be: the default's name is found in small letters as well."""
    return frozenset({path, path.lower()} if path == DOCKERFILE else {path})


def dockerfile_in(context: Context, path: str) -> bytes | None:
    """The Dockerfile of what was read; None when it has none there."""
    found = context.files.get(path)
    return context.files.get(path.lower()) if found is None and path == DOCKERFILE else found
