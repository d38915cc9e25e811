"""An image pulled from a registry on this machine, through the gateway and straight."""

from __future__ import annotations

import io
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev import programs
from dev.promises.lab import Lab, expect
from dev.registry import Registry, serving
from ruamel.yaml import YAML

from bench.gateway import API, Line, lines
from bench.row import Row
from bench.stage import server

IMAGE_BYTES = 1 << 28
TIMES = 3
NAME = "lab/large"


def measure() -> Iterator[Row]:
    """The best rate of a few, in turn, each of an image the engine does not have."""
    lab = server()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, serving(Path(folder)) as registry:
        registry.put(NAME, "latest", {"Cmd": ["sh"]}, [_layer()])
        with _allowed(lab, registry):
            rates = [[_rate(lab, line, f"{registry.host}/{NAME}") for line in lines(lab)] for _ in range(TIMES)]
    mine, peer = (max(found) for found in zip(*rates, strict=True))
    yield Row(
        path="gateway, pull of 256 MB", ours=mine, unit="MB/s", peer_name="engine", peer=peer,
        rule="≥ 85 % of the peer", judged=mine / peer * 100, budget=85, at_least=True,
    )  # fmt: skip


def _rate(lab: Lab, line: Line, name: str) -> float:
    """MB/s of one pull; the image is gone again after it."""
    began = time.perf_counter()
    _pull(line, name)
    taken = time.perf_counter() - began
    line.close()
    lab.engine("image", "rm", name)
    return IMAGE_BYTES / taken / 1024**2


def _pull(line: Line, name: str) -> None:
    line.request("POST", f"{API}/images/create?fromImage={name}&tag=latest")
    answer = line.getresponse()
    content = answer.read()
    expect(answer.status == 200 and b"Downloaded newer image" in content, f"a pull ended in {content[-500:]!r}")


def _layer() -> bytes:
    """One large file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        large = tarfile.TarInfo("large")
        large.size = IMAGE_BYTES
        tar.addfile(large, io.BytesIO(bytes(IMAGE_BYTES)))
    return buffer.getvalue()


@contextmanager
def _allowed(lab: Lab, registry: Registry) -> Iterator[None]:
    """Users may pull from this registry for as long as this goes on."""
    file, yaml = lab.stack.limits, YAML()
    before = file.read_text()
    found = yaml.load(before)
    found.setdefault("images", {})["registries"] = [registry.host]
    out = io.StringIO()
    yaml.dump(found, out)
    file.write_text(out.getvalue())
    try:
        expect(programs.until(lambda: _open(lab, registry), 60), "the registry did not come into force")
        yield
    finally:
        file.write_text(before)


def _open(lab: Lab, registry: Registry) -> bool:
    line = Line(lab.stack.door, lab.ada.person)
    line.request("GET", f"{API}/distribution/{registry.host}/{NAME}/json")
    allowed = line.getresponse().status == 200
    line.close()
    return allowed
