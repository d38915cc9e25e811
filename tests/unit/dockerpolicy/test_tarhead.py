"""Archives that programs read in different ways: what the engine gets can be read in one only."""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.context import END, Context
from ds01.domain.dockerpolicy.tarhead import entry
from ds01.domain.dockerpolicy.verdict import RefusedError
from tests.effort import tries

BLOCK = 512


def header(name: bytes, size: int, kind: bytes = b"0", *, link: bytes = b"", form: bytes = b"ustar\00000") -> bytes:
    block = bytearray(entry("f", b"")[:BLOCK])
    block[:100], block[157:257] = name.ljust(100, b"\0"), link.ljust(100, b"\0")
    block[124:136], block[156:157], block[257:265] = b"%011o\0" % size, kind, form
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def item(name: bytes, content: bytes = b"", kind: bytes = b"0", **more: Any) -> bytes:
    return header(name, len(content), kind, **more) + content + b"\0" * (-len(content) % BLOCK)


def records(**values: bytes) -> bytes:
    found = b""
    for name, value in values.items():
        rest = b" " + name.replace("_", ".").encode() + b"=" + value + b"\n"
        length = next(n for n in range(len(rest), len(rest) + 9) if n == len(rest) + len(str(n)))
        found += b"%d" % length + rest
    return found


def passed(data: bytes) -> tuple[bytes, Context]:
    """What the engine gets of an archive, and what was understood of it."""
    context = Context(wanted=frozenset(), digested=True)
    out = b"".join(context.feed(data))
    context.finish()
    return out, context


def plainly(data: bytes) -> dict[str, str]:
    """The files of an archive of which every header says all there is, as any program reads it: their digests."""
    found, at, note = dict[str, str](), 0, dict[str, str]()
    while at < len(data):
        block = data[at : at + BLOCK]
        assert block[257:265] == b"ustar\00000"
        assert not any(block[329:512]), "neither nodes nor a prefix"
        kind, size, name = block[156:157], int(block[124:135], 8), block[:100].rstrip(b"\0")
        content = data[at + BLOCK : at + BLOCK + size]
        at += BLOCK + size + -size % BLOCK
        assert kind in (b"0", b"1", b"2", b"5", b"x")
        if kind == b"x":
            assert not note, "two notes of one entry"
            note = _told(content)
            continue
        path = note.get("path", name.decode("utf-8", "surrogateescape"))
        assert path.endswith("/") == (kind == b"5")
        found.pop(path.rstrip("/"), None)
        if kind == b"0":
            found[path] = hashlib.sha256(content).hexdigest()
        note = {}
    return found


def _told(content: bytes) -> dict[str, str]:
    """What a note says, where no name and no value has a line break."""
    lines = content.decode("utf-8", "surrogateescape").splitlines()
    return dict(line.partition(" ")[2].split("=", 1) for line in lines)


HIDDEN = entry("manifest.json", b"[]") + END
NAMES = st.sampled_from([b"a", b"b/c", b"b/c/", b"./a", b"b//c", b"d/" * 60 + b"f", b"\xff", b"manifest.json"])
FORMS = st.sampled_from([b"ustar\00000", b"ustar  \0", b"\0" * 8])
SAID = st.builds(lambda path, size: records(**path, **size),
                 st.fixed_dictionaries({}, optional={"path": NAMES, "linkpath": NAMES}),
                 st.fixed_dictionaries({}, optional={"size": st.sampled_from([b"0", b"3", b"512"])}))  # fmt: skip
CONTENT = st.one_of(st.binary(max_size=600), st.just(HIDDEN))
ITEMS = st.one_of(
    st.builds(lambda name, content, kind, form: item(name, content, kind, form=form), NAMES, CONTENT,
              st.sampled_from([b"0", b"\0"]), FORMS),
    st.builds(lambda name, kind, form: item(name, b"", kind, link=b"a", form=form), NAMES,
              st.sampled_from([b"1", b"2", b"5"]), FORMS),
    st.builds(lambda said, kind: item(b"n", said, kind), SAID, st.sampled_from([b"x", b"g"])),
    st.builds(lambda name, kind: item(b"n", name + b"\0", kind), NAMES, st.sampled_from([b"L", b"K"])),
)  # fmt: skip


@settings(max_examples=tries(600), deadline=None)
@given(st.lists(ITEMS, min_size=1, max_size=6))
def test_d20_what_was_judged_is_what_any_program_reads(items: list[bytes]) -> None:
    """In whatever order notes, old headers and odd names come."""
    try:
        out, context = passed(b"".join(items) + item(b"last", b"x") + END)
    except RefusedError:
        return
    assert plainly(out) == context.digests
    assert passed(out + END)[0] == out, "and it is read again as it was"


def test_d20_no_archive_lies_in_what_another_program_takes_for_a_folder() -> None:
    """An old header without a kind, whose name ends with a slash, is a folder to the engine, and what follows it more
    of the archive.
    """
    for name, notes in ((b"x/", b""), (b"x", item(b"n", b"x/\0", b"L")), (b"x", item(b"n", records(path=b"x/"), b"x"))):
        with pytest.raises(RefusedError, match="folder or link with content"):
            passed(notes + item(name, HIDDEN, b"\0") + item(b"f", b"x") + END)
    out, _ = passed(item(b"x/", b"", b"\0") + END)
    assert (out[:3], out[156:157]) == (b"x/\0", b"5")


def test_what_says_whose_a_file_is_goes_on_as_it_came() -> None:
    said = {"mtime": b"1700000000.25", "uid": b"4000000000", "SCHILY_xattr_user_note": b"a=\nb", "vendor_thing": b"x"}
    asked = item(b"n", records(**said), b"x") + header(b"f", 1).replace(b"0000644", b"0004755")
    block = bytearray(asked[-BLOCK:])
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    out, _ = passed(asked[:-BLOCK] + bytes(block) + b"y" + b"\0" * 511 + END)
    with tarfile.open(fileobj=io.BytesIO(out + END)) as tar:
        (found,) = tar.getmembers()
    assert (found.mode, found.uid, found.mtime) == (0o4755, 4_000_000_000, 1_700_000_000.25)
    assert found.pax_headers["SCHILY.xattr.user.note"] == "a=\nb"
    assert "vendor.thing" not in found.pax_headers


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_long_links_lead_where_they_led(form: int, kind: bytes) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        link = tarfile.TarInfo("n" * 150)
        link.type, link.linkname = kind, "t/" * 100 + "ü"
        tar.addfile(link)
    out, _ = passed(buffer.getvalue())
    with tarfile.open(fileobj=io.BytesIO(out + END)) as tar:
        (found,) = tar.getmembers()
    assert (found.name, found.linkname, found.type) == (link.name, link.linkname, kind)


def test_a_file_of_many_gigabytes_has_its_size() -> None:
    size = 3 * 8**11
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        large = tarfile.TarInfo("f")
        large.size = size
        tar.addfile(large)
    out = b"".join(Context(wanted=frozenset()).feed(buffer.getvalue()[:BLOCK]))
    assert _told(out[BLOCK : 2 * BLOCK].rstrip(b"\0")) == {"size": str(size)}


@pytest.mark.parametrize("said", [{"path": b"a\0b"}, {"linkpath": b"a\0b"}])
def test_names_that_end_early_are_refused(said: dict[str, bytes]) -> None:
    with pytest.raises(RefusedError, match="damaged"):
        passed(item(b"n", records(**said), b"x") + item(b"f", b"", b"2") + END)


def test_a_file_has_a_name() -> None:
    with pytest.raises(RefusedError, match="without a name"):
        passed(item(b"./.", b"x") + END)
