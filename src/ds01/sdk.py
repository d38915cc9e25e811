"""DS01 in a script or a notebook: ``from ds01 import connect``.

What is done here is what the commands of the same names do, with the project's file as their source; nothing is asked.
Every failure is a ``Ds01Error``: its text is a sentence, ``error.kind`` says which it is, ``error.problem`` has the
reason and the next step.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ds01.cli.call import Call
from ds01.cli.talk import talk
from ds01.client.daemon import Client
from ds01.domain.errors import NO_CONTAINER, NO_FILE, NO_JOB, WRONG_STATE, Ds01Error
from ds01.domain.quantity import duration
from ds01.wire.containers import ContainerView, RetireRequest, RetireResult, WhyView
from ds01.wire.gpus import GpusView
from ds01.wire.jobs import JobsView, JobView

__all__ = ["Ds01Error", "Lab", "connect"]


def connect(socket: str | None = None) -> Lab:
    """The server, as the user who runs this program. ``socket`` is ds01d's, by default that of ``$DS01_SOCKET`` or the
    installed one. Nothing is opened yet.
    """
    return Lab(Client(socket) if socket else None)


class Lab:
    """The server as its user has it."""

    def __init__(self, client: Client | None = None) -> None:
        """Use ``connect()``."""
        if client is None:
            from ds01.client.place import socket_path

            client = Client(socket_path())
        self.client = client
        """Everything that ds01d does, a method for each: the layer below this one."""

    # containers ------------------------------------------------------------------------------------

    def launch(
        self, project: str, *, gpus: int | str | None = None, name: str | None = None, image: str | None = None,
        data: Sequence[str] = (), time: str | None = None, wait: bool | str = False, recreate: bool = False,
        build: bool = True,
    ) -> ContainerView:  # fmt: skip
        """A container of a project that runs: started, or made, or found running already.

        ``gpus`` is a number or a MIG profile such as ``"2g.20gb"``; None is what the project file says. ``wait`` True
        waits for a GPU, ``"30m"`` at most so long; without it no free GPU is an error (``gpu.full``). ``time`` is the
        longest it will run (``"8h"``). ``build`` False uses the image as it is. ``recreate`` replaces a container that
        is there: packages and files that were only in it go with it.
        """
        from ds01.cli.launching import Wish, launch

        wish = Wish(
            project=project, gpus=_text(gpus), name=name, image=image, data=tuple(data), time=_seconds(time),
            wait=_seconds(wait) if isinstance(wait, str) else wait, recreate=recreate, no_build=not build, stays=False,
        )  # fmt: skip
        container = launch(self._call("container launch", build=build or recreate), wish).container
        if container is None:
            raise Ds01Error(WRONG_STATE, f"{name or project} was not launched.", hint="ds01 list")
        return container

    def list(self) -> tuple[ContainerView, ...]:
        """My containers."""
        return self.client.containers()

    def retire(self, name: str, *, rescue: bool = False) -> RetireResult:
        """End a container and free its GPU; the workspace stays. ``rescue`` copies changed files outside the workspace
        into it before (``.ds01/rescued``).
        """
        return self.client.retire(name, RetireRequest(rescue=rescue))

    def why(self, name: str) -> WhyView:
        """What happened to a container, also after it is gone."""
        return self.client.why(name)

    # batch runs ------------------------------------------------------------------------------------

    def run(
        self, command: Sequence[str], *, project: str | None = None, gpus: int | str | None = None,
        time: str | None = None, name: str | None = None, env: Mapping[str, str] | None = None,
        array: str | None = None, after: Sequence[str] = (), image: str | None = None, build: bool = True,
    ) -> JobsView:  # fmt: skip
        """Submit a command to the queue and come back at once; it runs whatever becomes of this program.

        ``command`` is a list of words, not a line for a shell. ``project`` None is the one that the current folder is
        in. ``array`` is as for ``ds01 run`` (``"0-9%2"``), ``after`` names jobs it waits for. ``wait`` waits for it.
        """
        from ds01.cli.submitting import Wish, submit

        if isinstance(command, str):
            raise TypeError('command is a list of words, such as ["python", "train.py"]')
        wish = Wish(
            command=tuple(command), project=project, gpus=_text(gpus), time=_seconds(time), name=name,
            env=tuple((env or {}).items()), array=array, after=tuple(after), image=image, no_build=not build,
        )  # fmt: skip
        submitted = submit(self._call("job run", build=build), wish)
        assert submitted is not None  # None is for --dry-run
        return submitted

    def wait(self, job: JobsView | JobView | str) -> JobsView:
        """Wait until a job has ended, or all tasks of an array, over restarts of ds01d. ``jobs[0].code`` is its exit
        code, ``jobs[0].told`` how it ended as a sentence.
        """
        return self.client.wait_job(_name(job))

    def jobs(self, *, limit: int = 200) -> tuple[JobView, ...]:
        """My latest jobs, ended or not, the latest last."""
        return self.client.jobs(limit=limit)

    def cancel(self, job: JobsView | JobView | str) -> JobsView:
        """Give a job up: what waits ends at once, what runs is asked to end."""
        return self.client.cancel_job(_name(job))

    def logs(self, name: JobsView | JobView | str) -> str:
        """What a job or a container has written so far. Of an array name one task (``array.jobs[0]``)."""
        meant = _name(name)
        if isinstance(name, str):
            try:
                return self._written(meant)
            except Ds01Error as error:
                if error.kind != NO_CONTAINER:
                    raise
        try:
            found = self.client.job(meant)
        except Ds01Error as error:
            if error.kind != NO_JOB or not isinstance(name, str):
                raise
            raise Ds01Error(NO_CONTAINER, f"You have no container or job '{meant}'.", hint="ds01 list") from error
        return _read(found.jobs[0].log) if found.jobs else ""

    # the server ------------------------------------------------------------------------------------

    def gpus(self) -> GpusView:
        """Every slot of the server: what is free, and what is not."""
        return self.client.gpus()

    def _written(self, name: str) -> str:
        from ds01.cli.shell import docker

        container = self.client.container(name)
        pieces = docker(self._call("container logs")).logs(container.id)
        return b"".join(piece for _, piece in pieces).decode("utf-8", "replace")

    def _call(self, path: str, *, build: bool = False) -> Call:
        """A command's surroundings for somebody who cannot be asked; what may surprise goes to stderr."""
        call = Call(path=path, talk=talk(yes=build, no_input=True, quiet=True))
        call.client = self.client
        return call


def _name(job: JobsView | JobView | str) -> str:
    return job if isinstance(job, str) else job.name


def _text(gpus: int | str | None) -> str | None:
    return None if gpus is None else str(gpus)


def _seconds(text: str | None) -> int | None:
    return None if text is None else int(duration(text).total_seconds())


def _read(path: str) -> str:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise Ds01Error(NO_FILE, f"{path} cannot be read: {error.strerror}.", hint="ds01 runs") from error
