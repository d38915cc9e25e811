"""Build contexts: plain archives in any pieces, and the end is ours."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.context import END, KEPT_BYTES, NOTE_BYTES, NOTES, RECORDS, Context
from ds01.domain.dockerpolicy.tarhead import NAME_BYTES, entry
from ds01.domain.dockerpolicy.verdict import RefusedError
from tests.effort import not_for_hours, tries


def archive(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT, **special: Any) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content in files.items():
            found = tarfile.TarInfo(name)
            found.size = len(content)
            tar.addfile(found, io.BytesIO(content))
        for name, kind in special.items():
            found = tarfile.TarInfo(name)
            found.type, found.linkname = kind, "x"
            tar.addfile(found)
    return buffer.getvalue()


def read(data: bytes, wanted: set[str], sizes: list[int]) -> tuple[bytes, Context]:
    context, out, at, turn = Context(wanted=frozenset(wanted)), b"", 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        out += b"".join(context.feed(data[at : at + size]))
        at, turn = at + size, turn + 1
    context.finish()
    return out, context


NAMES = st.sampled_from(["Dockerfile", "./Dockerfile", "a/b", "a" * 120, "ü/é" * 40, ".dockerignore", "d/" * 60 + "f"])
FORMS = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])


@settings(max_examples=tries(200), deadline=None)
@given(
    st.dictionaries(NAMES, st.binary(max_size=1500), min_size=1, max_size=5),
    FORMS,
    st.lists(st.integers(1, 2000), min_size=1, max_size=4),
)
def test_files_pass_and_the_wanted_are_kept(files: dict[str, bytes], form: int, sizes: list[int]) -> None:
    try:
        data = archive(files, form)
    except ValueError:
        return  # a name this form cannot write
    out, context = read(data, {"Dockerfile", ".dockerignore"}, sizes)
    ours = out + entry(".ds01.0", b"FROM x\n") + END
    with tarfile.open(fileobj=io.BytesIO(ours)) as tar:
        found = {member.name: tar.extractfile(member) for member in tar.getmembers()}
        assert {name: stream.read() for name, stream in found.items() if stream} == {
            **{name.removeprefix("./"): content for name, content in files.items()},
            ".ds01.0": b"FROM x\n",
        }
    last = [content for name, content in files.items() if name.removeprefix("./") == "Dockerfile"]
    assert context.files.get("Dockerfile") == (last[-1] if last else None)


def test_the_last_entry_of_a_name_counts() -> None:
    data = archive({"Dockerfile": b"FROM a"})[:1024] + archive({"./Dockerfile": b"FROM b"})
    assert read(data, {"Dockerfile"}, [700])[1].files == {"Dockerfile": b"FROM b"}
    replaced = archive({"Dockerfile": b"FROM a"})[:1024] + archive({}, Dockerfile=tarfile.SYMTYPE)
    assert read(replaced, {"Dockerfile"}, [700])[1].files == {}


@pytest.mark.parametrize(
    "kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, b"S", b"V", b"M"]
)
def test_devices_and_odd_entries_are_refused(kind: bytes) -> None:
    with pytest.raises(RefusedError):
        read(archive({"a": b"x"}, dev=kind), set(), [4096])


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(archive({"Dockerfile": b"x"})), b"BZh91AY&SY" + b"x" * 1000, b"\xfd7zXZ\0" + b"x" * 1000,
        b"\x28\xb5\x2f\xfd" + b"x" * 1000, b"FROM x\n" * 200, b"", b"\0" * 100, archive({"a": b"x" * 600})[:700],
    ],
)  # fmt: skip
def test_e28_only_plain_whole_archives_are_read(data: bytes) -> None:
    with pytest.raises(RefusedError):
        read(data, set(), [333])


def test_a_wrong_sum_is_refused() -> None:
    data = bytearray(archive({"Dockerfile": b"x"}))
    data[0] ^= 1
    with pytest.raises(RefusedError):
        read(bytes(data), set(), [512])


def test_nothing_after_the_end_is_passed() -> None:
    data = archive({"a": b"x"}) + archive({"b": b"y"})
    out, context = read(data, set(), [512])
    assert context.ended
    assert len(out) == 1024


def test_records_for_all_entries_cannot_rename_them() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"path": "Dockerfile"}) as tar:
        tar.addfile(tarfile.TarInfo("a"))
    with pytest.raises(RefusedError):
        read(buffer.getvalue(), set(), [512])
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x"}) as tar:
        tar.addfile(tarfile.TarInfo("a"))
    read(plain.getvalue(), set(), [512])


@settings(max_examples=tries(300), deadline=None)
@given(st.binary(max_size=1200), st.integers(0, 511), st.integers(0, 255))
def test_no_archive_makes_the_reader_fail(noise: bytes, at: int, byte: int) -> None:
    data = bytearray(archive({"Dockerfile": b"FROM x"}))
    data[at] = byte
    for each in (bytes(data), noise):
        try:
            read(each, {"Dockerfile"}, [512])
        except RefusedError:
            continue


def one(name: str, kind: bytes, size: int = 0) -> bytes:
    """An entry alone, of this kind and size."""
    found = tarfile.TarInfo(name)
    found.type, found.size = kind, size
    return found.tobuf(tarfile.USTAR_FORMAT) + b"a" * size + b"\0" * (-size % 512)


def held(context: Context) -> int:
    """How much of an archive a reader holds."""
    pieces = [*context.files.values(), *(p for each in context.waiting.values() for p in each)]
    notes = [
        context._long_name,
        context._long_link,
        context._entry.kept or b"",
        *context._told,
        *context._told.values(),
    ]
    names = [*context.digests, *context._links, *context._folders]
    return sum(map(len, (*pieces, *notes))) + sum(map(len, names))


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_LONGNAME])
def test_notes_without_an_entry_are_not_held_without_end(kind: bytes) -> None:
    context = Context(wanted=frozenset())
    for _ in range(NOTES):
        context.feed(one("n", kind, 4096))
    with pytest.raises(RefusedError, match="in front of it"):
        context.feed(one("n", kind, 4096))
    assert held(context) <= NOTE_BYTES
    full = one("n", tarfile.GNUTYPE_LONGLINK, NOTE_BYTES)
    with pytest.raises(RefusedError, match="in front of it"):
        read(full + full + one("n", tarfile.GNUTYPE_LONGLINK, 1), set(), [65536])
    with pytest.raises(RefusedError, match="a path of more than"):
        read(one("n", kind, NOTE_BYTES + 1), set(), [65536])


def noted(kind: bytes, content: bytes) -> bytes:
    """A note with this content, and the entry it is about."""
    return one("n", kind, len(content)).replace(b"a" * len(content), content) + one("f", tarfile.REGTYPE, 1)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_p17_a_note_has_so_many_records_and_bytes(kind: bytes) -> None:
    for content in (b"5 a=\n" * RECORDS, b"%d a=%b\n" % (NOTE_BYTES, b"x" * (NOTE_BYTES - 9))):
        assert read(noted(kind, content), set(), [65536])[0] == one("f", tarfile.REGTYPE, 1)
    with pytest.raises(RefusedError, match=f"more than {RECORDS} attributes"):
        read(noted(kind, b"5 a=\n" * (RECORDS + 1)), set(), [65536])
    with pytest.raises(RefusedError, match=f"{NOTE_BYTES} bytes"):
        Context(wanted=frozenset()).feed(one("n", kind, NOTE_BYTES + 1)[:512])


def test_each_entry_may_have_its_notes() -> None:
    files = {f"{number}/" + "n" * 200: b"x" for number in range(3 * NOTES)}
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        assert len(read(archive(files, form), set(), [512])[0]) > len(files) * 1024


@pytest.mark.parametrize("name", ["a/" * 500_000 + "f", "n" * (NAME_BYTES + 1), "a/" * 300 + "f"])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_paths_no_system_has_are_refused(name: str, form: int) -> None:
    context = Context(wanted=frozenset(), digested=True)
    with not_for_hours(), pytest.raises(RefusedError, match="path of more than"):
        context.feed(archive({name: b"x"}, form))
    assert held(context) <= 2 * KEPT_BYTES


def test_the_names_that_are_kept_are_bounded_together() -> None:
    context = Context(wanted=frozenset(), digested=True)
    with pytest.raises(RefusedError, match="too many entries"):
        feed_names(context)
    assert held(context) < 5 * 1024 * 1024


def feed_names(context: Context) -> None:
    """Many small files with long names: a note of the name and a header each."""
    for number in range(5000):
        context.feed(archive({f"{number:04}" + "n" * 4000: b""}, tarfile.GNU_FORMAT)[: 512 * 10])
