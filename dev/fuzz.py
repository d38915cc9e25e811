"""Fuzzing what reads bytes of users: the HTTP reader, bodies in chunks, JSON and the rules of a create.

    python -m dev.fuzz TARGET SECONDS [FOLDER]      TARGET is one of those below; FOLDER keeps what was found

Guided by coverage (atheris). A finding is an error nobody meant, or a reading that another reader does not share: the
program ends with a status that is not 0, prints the bytes, and leaves them in FOLDER.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["ds01.domain.dockerpolicy", "ds01.gateway"]):
    from ds01.domain.dockerpolicy.case import Asker
    from ds01.domain.dockerpolicy.create import judge_create
    from ds01.domain.dockerpolicy.strictjson import dump, parse, parse_object
    from ds01.domain.dockerpolicy.verdict import RefusedError
    from ds01.gateway.body import Chunked
    from ds01.gateway.http import parse_request
    from ds01.gateway.routes import target

from dev.llhttp import read_request

ASKER = Asker(uid=1001, gid=1001)
SEEDS: dict[str, Sequence[bytes]] = {
    "head": (b"POST /v1.41/containers/create?name=a HTTP/1.1\r\nHost: d\r\nContent-Length: 5",
             b"GET /a HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\nConnection: Upgrade\r\nUpgrade: tcp"),
    "chunks": (b"5\r\nhello\r\n0\r\n\r\n", b"1\r\na\r\n00a\r\n0123456789\r\n0\r\n\r\nGET"),
    "json": (b'{"Image":"a","HostConfig":{"Binds":["/a:/b"]}}', b'["\\ud83d\\ude00",1,null,true,{"a":{}}]'),
    "create": (b'{"Image":"a","Env":["A=1"],"HostConfig":{"Memory":1,"PortBindings":{"80/tcp":[{"HostPort":"8080"}]}}}',
               b'{"Image":"a","hostconfig":{"Mounts":[{"Type":"tmpfs","Target":"/x"}],"Ulimits":[{"Name":"core"}]}}'),
    "target": (b"/v1.41/containers/abc/json?size=1", b"/containers/%61bc/logs", b"/v1.24/images/a/b:c/json"),
}  # fmt: skip


def head(data: bytes) -> None:
    """What is taken as a request is one for llhttp, with the same method, target, headers and framing."""
    try:
        ours = parse_request(data)
    except RefusedError:
        return
    theirs = read_request(data + b"\r\n\r\n")
    assert theirs is not None, "llhttp reads no request here"
    assert (theirs.method, theirs.target) == (ours.method, ours.target)
    assert set(theirs.headers) == set(ours.headers)
    assert theirs.chunked == ours.framing.chunked


def chunks(data: bytes) -> None:
    """A body is the same in whatever pieces it comes, and the one llhttp reads."""
    whole, parts = _chunked(data, len(data) or 1), _chunked(data, 3)
    assert whole == parts
    if whole is not None and whole[1]:
        theirs = read_request(b"POST / HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n" + data)
        assert theirs is not None
        assert theirs.body == whole[0]


def _chunked(data: bytes, size: int) -> tuple[bytes, bool] | None:
    """Payload, and whether it ended; None when it is refused."""
    reader, found = Chunked(), b""
    try:
        for at in range(0, len(data), size):
            found += b"".join(chain.from_iterable(reader.feed(data[at : at + size])))
            if reader.done:
                break
    except RefusedError:
        return None
    return found, reader.done


def json_(data: bytes) -> None:
    """What is taken as JSON is what Python reads, and what is written of it is read again as it was."""
    try:
        value = parse(data)
    except RefusedError:
        return
    assert json.loads(data) == value
    assert parse(dump(value)) == value


def create(data: bytes) -> None:
    """Every object is judged or refused: no body makes a rule fail."""
    try:
        judge_create(parse_object(data), "fuzz", ASKER)
    except RefusedError:
        return


def target_(data: bytes) -> None:
    """A target that is taken is plain."""
    try:
        found = target(data.decode("latin-1"))
    except RefusedError:
        return
    assert ".." not in found.path.split("/")
    assert "//" not in found.path


TARGETS: dict[str, Callable[[bytes], None]] = {
    "head": head, "chunks": chunks, "json": json_, "create": create, "target": target_
}  # fmt: skip


def main() -> None:
    """Fuzz one target for so many seconds."""
    name, seconds = sys.argv[1], int(sys.argv[2])
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(".fuzz")
    corpus = folder / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[name]):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [
        f"-max_total_time={seconds}",
        "-max_len=2048",
        f"-artifact_prefix={folder}/{name}-",
        "-verbosity=1",
        "-print_final_stats=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
