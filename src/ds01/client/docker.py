"""The Docker API as the gateway offers it: what needs the user's own terminal, files or log.

ds01d never carries a user's bytes; shells, copies, logs and builds go through the gateway, which knows who asks and
lets her reach her own containers only. Answers that are no success become a Ds01Error with the gateway's sentence.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ds01.client.http import BadAnswerError, Request, Response, Stream, escaped, send, target
from ds01.domain.errors import (
    DAEMON_DOWN,
    ENGINE_DOWN,
    ENGINE_ERROR,
    NO_CONTAINER,
    NOT_ALLOWED,
    WRONG_STATE,
    Ds01Error,
    ErrorKind,
)
from ds01.domain.image import with_tag
from ds01.domain.record import made, record

ANSWER_SECONDS = 60.0
_KINDS: dict[int, ErrorKind] = {403: NOT_ALLOWED, 404: NO_CONTAINER, 409: WRONG_STATE, 503: ENGINE_DOWN}


@record
class Exec:
    """A program to run in a container, as the container's user. ``stdin``: it gets input."""

    command: Sequence[str]
    tty: bool = False
    stdin: bool = True
    environment: Mapping[str, str] = made(factory=dict)
    folder: str = ""


@record
class ExecState:
    """How a program in a container is doing; ``code`` counts once it runs no more."""

    running: bool
    code: int


class Docker:
    """The gateway at ``socket`` (ds01d tells where it is: ``client.ping().gateway``)."""

    def __init__(self, socket: str) -> None:
        self.socket = socket

    def exec_create(self, container: str, program: Exec) -> str:
        """Prepare a program; returns its id."""
        asked = {
            "AttachStdin": program.stdin, "AttachStdout": True, "AttachStderr": True, "Tty": program.tty,
            "Cmd": list(program.command), "Env": [f"{name}={value}" for name, value in program.environment.items()],
            **({"WorkingDir": program.folder} if program.folder else {}),
        }  # fmt: skip
        return str(self.json("POST", f"/containers/{escaped(container)}/exec", body=asked)["Id"])

    def exec_start(self, program: str, *, tty: bool) -> Stream:
        """Start it; its input and output are the stream."""
        body = json.dumps({"Detach": False, "Tty": tty}).encode()
        request = Request(method="POST", target=f"/exec/{escaped(program)}/start", body=body, upgrade="tcp")
        response = self.ask(request, seconds=None)
        if response.status not in (101, 200):
            raise Ds01Error(ENGINE_ERROR, f"The shell could not be opened (status {response.status}).")
        return response.stream

    def exec_background(self, program: str) -> None:
        """Start it and leave it alone."""
        self.json("POST", f"/exec/{escaped(program)}/start", body={"Detach": True, "Tty": False})

    def exec_resize(self, program: str, rows: int, columns: int) -> None:
        """Tell it how large the terminal is."""
        self.json("POST", target(f"/exec/{escaped(program)}/resize", h=rows, w=columns))

    def exec_state(self, program: str) -> ExecState:
        """Whether it runs, and how it ended."""
        seen = self.json("GET", f"/exec/{escaped(program)}/json")
        return ExecState(running=bool(seen.get("Running")), code=int(seen.get("ExitCode") or 0))

    def has_terminal(self, container: str) -> bool:
        """Whether the container's main program has a terminal: its log is then one stream, not two."""
        return bool(self.json("GET", f"/containers/{escaped(container)}/json")["Config"]["Tty"])

    def processes(self, container: str) -> tuple[list[str], list[list[str]]]:
        """The titles and rows of ``ps`` over the container's processes."""
        seen = self.json("GET", f"/containers/{escaped(container)}/top")
        return list(seen["Titles"]), [list(row) for row in seen["Processes"] or []]

    def logs(
        self, container: str, *, follow: bool = False, tail: str = "all", since: str = "", timestamps: bool = False
    ) -> Iterator[tuple[int, bytes]]:
        """Pieces of the log: 1 for what went to stdout, 2 for stderr."""
        where = target(
            f"/containers/{escaped(container)}/logs", stdout=True, stderr=True, tail=tail, follow=follow, since=since,
            timestamps=timestamps,
        )  # fmt: skip
        whole = self.has_terminal(container)
        response = self.ask(Request(method="GET", target=where), seconds=None if follow else ANSWER_SECONDS)
        try:
            yield from ((1, piece) for piece in response.pieces()) if whole else frames(response.pieces())
        finally:
            response.close()

    def image(self, reference: str) -> dict[str, Any] | None:
        """An image as the engine describes it, or None when there is none to see."""
        try:
            found: dict[str, Any] = self.json("GET", f"/images/{escaped(reference, keep=b'/:@')}/json")
        except Ds01Error as error:
            if error.kind != NO_CONTAINER:
                raise
            return None
        return found

    def history(self, reference: str) -> list[dict[str, Any]]:
        """The layers of an image, the newest first, as the engine tells them."""
        found: list[dict[str, Any]] = self.json("GET", f"/images/{escaped(reference, keep=b'/:@')}/history")
        return found

    def tag(self, reference: str, repository: str, tag: str) -> None:
        """Give an image another name; it is taken from the image that had it."""
        self.json("POST", target(f"/images/{escaped(reference, keep=b'/:@')}/tag", repo=repository, tag=tag))

    def pull(self, reference: str) -> Generator[dict[str, Any]]:
        """Fetch an image from its registry; yields the engine's messages as they come. Closing it ends the pull."""
        name, at, digest = reference.partition("@")
        repository, _, tag = (name, "", digest) if at else with_tag(name).rpartition(":")
        request = Request(method="POST", target=target("/images/create", fromImage=repository, tag=tag))
        for line in self.ask(request, seconds=None).lines():
            yield json.loads(line)

    def build(self, context: Iterable[bytes], query: Mapping[str, object]) -> Generator[dict[str, Any]]:
        """Build an image from a tar stream; yields the engine's messages as they come.

        Closing the iterator ends the connection, and with it the build.
        """
        request = Request(
            method="POST", target=target("/build", **query), body=context, content_type="application/x-tar"
        )  # fmt: skip
        for line in self.ask(request, seconds=None).lines():
            yield json.loads(line)

    def json(self, method: str, where: str, *, body: object = None) -> Any:
        """One request with a JSON answer; None when it has no body."""
        sent = json.dumps(body).encode() if body is not None else None
        content = self.ask(Request(method=method, target=where, body=sent), seconds=ANSWER_SECONDS).read()
        return json.loads(content) if content.strip() else None

    def ask(self, request: Request, *, seconds: float | None) -> Response:
        """Any request. ``seconds`` bounds each wait; None waits for ever."""
        try:
            response = send(self.socket, request, seconds)
            if response.status >= 400:
                raise _refusal(response.status, response.read())
        except (OSError, BadAnswerError) as failure:
            raise Ds01Error(
                DAEMON_DOWN, "The gateway does not answer.",
                reason=f"{self.socket}: {failure or type(failure).__name__}. Containers go on without it.",
                hint="Try again in a moment, or see: ds01 doctor",
            ) from failure  # fmt: skip
        response.stream.sock.settimeout(None if seconds is None else seconds)
        return response


def frames(pieces: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Take a stream of Docker frames apart: (1 or 2, data). What is cut off at the end is dropped."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= 8:
            size = int.from_bytes(waiting[4:8], "big")
            if len(waiting) < 8 + size:
                break
            yield waiting[0], bytes(waiting[8 : 8 + size])
            del waiting[: 8 + size]


def _refusal(status: int, body: bytes) -> Ds01Error:
    try:
        said = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        said = body[:200].decode(errors="replace").strip() or f"The gateway answered with status {status}."
    kind = _KINDS.get(status, ENGINE_ERROR)
    return Ds01Error(kind, said[:1].upper() + said[1:])
