"""Archives of images: unpacked, read, and their list written anew."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import random
import sys
import tarfile
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.commit import judge_changes, judge_config
from ds01.domain.dockerpolicy.context import END
from ds01.domain.dockerpolicy.loading import LISTS, LoadPlan, judge_load, reader
from ds01.domain.dockerpolicy.tarhead import entry
from ds01.domain.dockerpolicy.unpacked import FAR_BYTES, NEAR_BYTES, Unpacked
from ds01.domain.dockerpolicy.verdict import Change, RefusedError
from ds01.gateway.zstd import zstd
from tests.effort import tries

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter
    from compression.zstd import compress as pack
else:
    from backports.zstd import CompressionParameter
    from backports.zstd import compress as pack

CONFIG = b'{"os":"linux"}'
ID = f"sha256:{hashlib.sha256(CONFIG).hexdigest()}"
TOO_MUCH = RefusedError("test.much", "too much", status=413)
HOW: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, bz2.compress, lzma.compress, pack]
BEGINNINGS = (b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
"""What begins so is taken as packed."""


def archive(*entries: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content in entries:
            found = tarfile.TarInfo(name)
            found.size, found.mtime = len(content), 1.5
            tar.addfile(found, io.BytesIO(content))
    return buffer.getvalue()


def listed(*items: dict[str, Any]) -> tuple[str, bytes]:
    return "manifest.json", json.dumps(items).encode()


def judged(data: bytes, size: int = 1000) -> tuple[LoadPlan, bytes]:
    """The plan, and what the engine gets."""
    found, out = reader(), b""
    for at in range(0, len(data), size):
        out += b"".join(found.feed(data[at : at + size]))
    found.finish()
    plan = judge_load(found)
    return plan, out + entry("manifest.json", plan.manifest) + END


@settings(max_examples=tries(60))
@given(st.sampled_from(sorted(LISTS)), st.integers(1, 2000), st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
def test_no_list_but_ours_passes(other: str, size: int, form: int) -> None:
    item = {"Config": "./c.json", "RepoTags": ["docker.io/library/a"], "Layers": ["l/layer.tar"], "Parent": "sha256:0"}
    data = archive(
        ("c.json", CONFIG), (other, b"[]"), ("l/layer.tar", b"x" * 700), listed(item), ("end", b"e"), form=form
    )
    plan, out = judged(data, size)
    assert (plan.refs, plan.images) == (("a:latest",), (ID,))
    with tarfile.open(fileobj=io.BytesIO(out)) as tar:
        names = tar.getnames()
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest) == [{"Config": "c.json", "RepoTags": ["a:latest"], "Layers": ["l/layer.tar"]}]
    assert names == ["c.json", "l/layer.tar", "end", "manifest.json"]


def test_images_that_no_name_is_written_for_are_told_apart() -> None:
    items: list[dict[str, Any]] = [
        {"Config": "c.json", "RepoTags": ["a:1"]},
        {"Config": "d.json"},
        {"Config": "d.json"},
    ]
    plan, _ = judged(archive(("c.json", CONFIG), ("d.json", b"x"), listed(*items)))
    other = f"sha256:{hashlib.sha256(b'x').hexdigest()}"
    assert plan.nameless == (other,)
    assert plan.without({"a:1": ID}).nameless == (ID, other)


@pytest.mark.parametrize(
    "item",
    [
        {"Config": "none.json"}, {"Config": ""}, {"Config": "../c.json"}, {"Config": "c.json", "Layers": ["/../x"]},
        {"Config": "c.json", "RepoTags": ["A"]}, {"Config": "c.json", "RepoTags": "a"}, {"Config": 1},
        {"Config": "c.json", "config": "d.json"}, {"Config": "c.json", "Other": 1}, {"Config": "c.json", "Layers": [1]},
        {"Config": "c.json", "RepoTags": [f"a:{n}" for n in range(501)]},
    ],
)  # fmt: skip
def test_lists_that_cannot_be_read_in_one_way_are_refused(item: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        judged(archive(("c.json", CONFIG), ("d.json", b"x"), listed(item)))


def test_d16_a_list_of_very_many_values_is_refused_before_they_are_made() -> None:
    with pytest.raises(RefusedError) as caught:
        judged(archive(("manifest.json", b"[" + b"0," * 65_536 + b"0]")))
    assert caught.value.rule == "json.values"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.REGTYPE])
def test_d20_no_folder_is_replaced_in_which_something_was_judged(kind: bytes) -> None:
    """The engine takes the folder away and opens another configuration than the one that was read here."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (("a/c.json", CONFIG), ("b/c.json", b"{}")):
            found = tarfile.TarInfo(name)
            found.size = len(content)
            tar.addfile(found, io.BytesIO(content))
        other = tarfile.TarInfo("a")
        other.type, other.linkname = kind, "b"
        tar.addfile(other)
    with pytest.raises(RefusedError, match="in the place of a folder"):
        judged(buffer.getvalue())


def test_nothing_is_written_through_a_link() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        link = tarfile.TarInfo("d")
        link.type, link.linkname = tarfile.SYMTYPE, "."
        tar.addfile(link)
        inside = tarfile.TarInfo("d/c.json")
        inside.size = len(CONFIG)
        tar.addfile(inside, io.BytesIO(CONFIG))
    with pytest.raises(RefusedError):
        judged(buffer.getvalue())


@settings(max_examples=tries(60))
@given(st.binary(max_size=5000), st.integers(0, 200), st.sampled_from(HOW), st.integers(1, 700), st.booleans())
def test_what_was_packed_comes_out(
    data: bytes, times: int, how: Callable[[bytes], bytes], size: int, twice: bool
) -> None:
    data = data * times
    assume(how is not bytes or not data.startswith(BEGINNINGS))
    sent = how(data[: len(data) // 2]) + how(data[len(data) // 2 :]) if twice else how(data)
    found = Unpacked(None, TOO_MUCH, zstd, lambda _: None)
    out = b"".join(bytes(part) for at in range(0, len(sent), size) for part in found.feed(sent[at : at + size]))
    out += b"".join(bytes(part) for part in found.finish())
    assert out == data
    assert found.size == len(data)


@pytest.mark.parametrize("how", [gzip.compress, bz2.compress, lzma.compress, pack])
@pytest.mark.parametrize("between", [b"", bytes(4)])
def test_one_stream_after_the_other_comes_out_wherever_it_was_cut(
    how: Callable[[bytes], bytes], between: bytes
) -> None:
    sent = how(b"first") + between + how(b"second")
    for at in range(len(sent) + 1):
        found = Unpacked(None, TOO_MUCH, zstd, lambda _: None)
        out = b"".join(bytes(part) for piece in (sent[:at], sent[at:]) for part in found.feed(piece))
        assert (out, list(found.finish())) == (b"firstsecond", []), at


def unpacked(found: Unpacked, sent: bytes) -> None:
    for part in found.feed(sent):
        assert len(part) <= 1024 * 1024
    assert list(found.finish()) == []


def reaching(window: int) -> bytes:
    """A stream of zstd that says so far it will point back, as a power of two, and does not."""
    return b"\x28\xb5\x2f\xfd\x00" + bytes([window - 10 << 3]) + (len(SMALL) << 3 | 1).to_bytes(3, "little") + SMALL


SMALL = b"small" * 20
FAR: dict[str, Callable[[bytes], bytes]] = {
    "zstd --long": partial(pack, options={CompressionParameter.window_log: 27}),
    "xz -9": partial(lzma.compress, preset=9),
}
SPREAD = random.Random(1).randbytes(1024 * 1024)
LARGE = SPREAD * 20
"""More than a usual stream reaches back."""


@pytest.mark.parametrize("how", FAR)
@pytest.mark.parametrize("size", [9973, 1024 * 1024])
def test_what_reaches_far_back_takes_memory_for_it_first(how: str, size: int) -> None:
    sent = FAR[how](LARGE) * 2
    taken: list[int] = []
    found = Unpacked(None, TOO_MUCH, zstd, taken.append)
    out = b"".join(bytes(part) for at in range(0, len(sent), size) for part in found.feed(sent[at : at + size]))
    assert [*found.finish()] == []
    assert out == LARGE * 2
    assert sum(taken) == FAR_BYTES

    def take(size: int) -> None:
        if size > NEAR_BYTES:
            raise TOO_MUCH

    with pytest.raises(RefusedError, match="too much"):
        unpacked(Unpacked(None, TOO_MUCH, zstd, take), sent)


@pytest.mark.parametrize("how", HOW[1:])
def test_a_usual_one_takes_little(how: Callable[[bytes], bytes]) -> None:
    taken: list[int] = []
    unpacked(Unpacked(None, TOO_MUCH, zstd, taken.append), how(SPREAD * 5))
    assert sum(taken) <= NEAR_BYTES


def test_who_reaches_beyond_all_bounds_is_refused() -> None:
    for window, memory in ((23, NEAR_BYTES), (27, FAR_BYTES)):
        taken: list[int] = []
        found = Unpacked(None, TOO_MUCH, zstd, taken.append)
        assert b"".join(map(bytes, found.feed(reaching(window)))) == SMALL
        assert sum(taken) == memory
    with pytest.raises(RefusedError, match="damaged"):
        list(Unpacked(None, TOO_MUCH, zstd, lambda _: None).feed(reaching(28)))


@pytest.mark.parametrize("how", HOW[1:])
def test_a_bomb_is_stopped_when_it_is_too_much(how: Callable[[bytes], bytes]) -> None:
    sent = how(bytes(50_000_000))
    found = Unpacked(5_000_000, TOO_MUCH, zstd, lambda _: None)
    with pytest.raises(RefusedError, match="too much"):
        unpacked(found, sent)
    assert found.size < 7_000_000


@pytest.mark.parametrize(
    "sent",
    [gzip.compress(b"a" * 1000, mtime=0)[:-9], lzma.compress(b"a" * 1000)[:-9], bz2.compress(b"a" * 1000)[:-9],
     gzip.compress(b"a" * 1000, mtime=0)[:20] + b"x" * 20, b"\x28\xb5\x2f\xfd" + b"x" * 20,
     b"\x1f\x8b\x08" + zlib.compress(b"a" * 100)],
)  # fmt: skip
def test_what_is_damaged_or_cannot_be_unpacked_is_refused(sent: bytes) -> None:
    found = Unpacked(None, TOO_MUCH, zstd, lambda _: None)
    with pytest.raises(RefusedError):
        unpacked(found, sent)


def test_s5_no_label_of_a_container_speaks_for_an_image() -> None:
    changes: list[Change] = []
    owner = {"ds01.owner.uid": "1002"}
    config = judge_config({"Labels": {"ds01.lease": "x", "Ds01.X": "y", "a": "b"}, "Cmd": "x"}, owner, changes)
    told = config["Labels"]
    assert isinstance(told, dict)
    assert {key: value for key, value in told.items() if value} == {"ds01.owner.uid": "1002", "a": "b"}
    assert told["ds01.lease"] == ""
    assert len(changes) == 2
    assert judge_changes(["CMD x", "env A=b\nUSER 1"], owner)[:3] == ["CMD x", "ENV A=b", "USER 1"]
    assert judge_changes([], owner)[-1].startswith("LABEL ")


@pytest.mark.parametrize(
    "text", ["RUN id", "FROM x", "# escape=`", "ENV A=b \\", "CMD", "ADD a b", "ONBUILD FROM x", "MAINTAINER x",
             "HEALTHCHECK --interval=1ms CMD true", "SHELL []"],
)  # fmt: skip
def test_changes_that_may_not_be(text: str) -> None:
    with pytest.raises(RefusedError):
        judge_changes([text], {})


@pytest.mark.parametrize("name", sorted(LISTS))
def test_no_list_is_larger_than_what_is_read(name: str) -> None:
    with pytest.raises(RefusedError) as caught:
        judged(archive((name, b"x" * (1024 * 1024 + 1))), 65536)
    assert caught.value.rule == "archive.tar"
