"""Large bodies through the gateway and straight: a build context, an image saved and loaded."""

from __future__ import annotations

import io
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator

from dev import tiny
from dev.promises.lab import Lab

from bench.gateway import API, Line, lines
from bench.row import Row
from bench.stage import server

CONTEXT_BYTES, IMAGE_BYTES = 1 << 30, 1 << 29
TIMES = 3
_BLOCK = 1 << 20


def measure() -> Iterator[Row]:
    """The best rate of a few, in turn."""
    lab = server()
    yield _row("1 GB build context", lab, lambda line: _build(line, "bench-context", CONTEXT_BYTES, "LABEL bench=1"))
    _build(Line(lab.stack.door, lab.ada.person), "bench-image", IMAGE_BYTES, "COPY large /large")
    image = Line(lab.stack.door, lab.ada.person).asks("GET", "/images/bench-image/json")["Id"]
    with tempfile.TemporaryFile(dir="/var/tmp") as archive:
        yield _row("save of 512 MB", lab, lambda line: _save(line, image, None))
        _save(Line(lab.stack.door, lab.ada.person), "bench-image", archive)
        yield _row("load of 512 MB", lab, lambda line: _load(line, archive))


def _row(what: str, lab: Lab, moves: Callable[[Line], int]) -> Row:
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(TIMES):
        for line, found in zip(lines(lab), rates, strict=True):
            began = time.perf_counter()
            moved = moves(line)
            found.append(moved / (time.perf_counter() - began) / 1024**2)
            line.close()
    mine, peer = max(rates[0]), max(rates[1])
    return Row(
        path=f"gateway, {what}", ours=mine, unit="MB/s", peer_name="engine", peer=peer,
        rule="≥ 85 % of the peer", judged=mine / peer * 100, budget=85, at_least=True,
    )  # fmt: skip


def _build(line: Line, tag: str, size: int, step: str) -> int:
    """The engine unpacks it either way."""
    headers = {"Content-Type": "application/x-tar"}
    line.request("POST", f"{API}/build?t={tag}", _tar(size, step), headers, encode_chunked=True)
    _done(line)
    return size


def _save(line: Line, image: str, to: io.BufferedRandom | tempfile._TemporaryFileWrapper[bytes] | None) -> int:
    line.request("GET", f"{API}/images/{image}/get")
    answer = line.getresponse()
    assert answer.status == 200, answer.read()
    moved = 0
    while block := answer.read(_BLOCK):
        moved += len(block)
        if to is not None:
            to.write(block)
    return moved


def _load(line: Line, archive: io.BufferedRandom | tempfile._TemporaryFileWrapper[bytes]) -> int:
    moved = archive.seek(0, io.SEEK_END)
    archive.seek(0)
    line.request(
        "POST", f"{API}/images/load?quiet=1", iter(lambda: archive.read(_BLOCK), b""),
        {"Content-Type": "application/x-tar"}, encode_chunked=True,
    )  # fmt: skip
    _done(line)
    return moved


def _done(line: Line) -> None:
    answer = line.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    assert b'"error"' not in content, content


def _tar(size: int, step: str) -> Iterator[bytes]:
    """An archive with a Dockerfile and one large file, made on the way."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        text = f"FROM {tiny.REFERENCE}\n{step}\n".encode()
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
    yield buffer.getvalue()[:1024]
    large = tarfile.TarInfo("large")
    large.size = size
    yield large.tobuf()
    block = bytes(_BLOCK)
    for _ in range(size // _BLOCK):
        yield block
    yield bytes(1024)
