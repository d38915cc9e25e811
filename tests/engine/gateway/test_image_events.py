"""What the engine tells of images that come with an archive: their owner hears it, and nobody else."""

from __future__ import annotations

import io
import json
import tarfile
import threading

import pytest

from tests.engine.gateway.ground import IMAGE, Reply, User
from tests.engine.gateway.test_images import _listening, _said

IMPORT = "/v1.41/images/create?fromSrc=-"
TAR = "application/x-tar"
pytestmark = [pytest.mark.engine, pytest.mark.root]


def heard(user: User, other: User, does: threading.Thread) -> tuple[bytes, bytes]:
    """What two hear of while one does it."""
    hers, others = _listening(user), _listening(other)
    does.start()
    does.join(60)
    for each in (user, other):
        last = f"{each.uid}-the-end"
        assert each.call("POST", f"/v1.41/images/{IMAGE}/tag?repo={last}").status == 201
        assert each.call("DELETE", f"/v1.41/images/{last}").status == 200
    return _said(hers, f"{user.uid}-the-end".encode()), _said(others, f"{other.uid}-the-end".encode())


def archive(content: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


def test_o17_who_loads_or_imports_hears_of_it(mallory: User, alice: User) -> None:
    said: list[Reply] = []
    body = archive("imported")
    told, elsewhere = heard(mallory, alice, threading.Thread(target=lambda: said.append(
        mallory.call("POST", f"{IMPORT}&repo=brought&tag=1", body, Content_Type=TAR)
    )))  # fmt: skip
    image = json.loads(said[0].body.splitlines()[-1])["status"]
    assert f'"import","id":"{image}"'.encode() in told
    assert image.encode() not in elsewhere
    assert b"ds01." not in told
    saved = mallory.call("GET", "/v1.41/images/brought:1/get").body
    assert mallory.call("DELETE", "/v1.41/images/brought:1").status == 200
    told, elsewhere = heard(mallory, alice, threading.Thread(target=lambda: said.append(
        mallory.call("POST", "/v1.41/images/load", saved, Content_Type=TAR)
    )))  # fmt: skip
    assert b"Loaded image" in said[1].body
    assert f'"load","id":"{image}"'.encode() in told
    assert image.encode() not in elsewhere


def test_o17_a_label_alone_lets_nobody_hear(mallory: User, alice: User) -> None:
    said: list[Reply] = []
    label = f"LABEL ds01.owner.uid={alice.uid} ds01.owner.epoch=0"
    _, elsewhere = heard(mallory, alice, threading.Thread(target=lambda: said.append(mallory.call(
        "POST", f"{IMPORT}&changes={label.replace(' ', '%20')}", archive("spoofed"), Content_Type=TAR,
    ))))  # fmt: skip
    assert b"import" not in elsewhere
