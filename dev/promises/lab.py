"""A lab to try promises in: a running stack and two ordinary users who know nothing of each other."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from dev import engine, people, programs, stack
from dev.people import Done, Person
from dev.stack import Stack


class BrokenError(Exception):
    """A promise does not hold; the message says what was seen instead."""


def expect(condition: object, otherwise: str) -> None:
    """The promise is broken unless this is so."""
    if not condition:
        raise BrokenError(otherwise)


@dataclass(frozen=True, kw_only=True)
class Student:
    """One of the two users, and what she can type."""

    person: Person
    commands: Path
    gateway: str

    @property
    def uid(self) -> int:
        """Her uid."""
        return self.person.uid

    def workspace(self, project: str) -> Path:
        """The folder of a project on the server."""
        return self.person.home / "workspace" / project

    def tries(self, *arguments: str, given: str = "") -> Done:
        """Type a ``ds01`` command that may be refused."""
        return self.person.run(str(self.commands / "ds01"), *arguments, given=given)

    def ds01(self, *arguments: str) -> Done:
        """Type a ``ds01`` command that must work."""
        return _worked(self.tries(*arguments), "ds01", arguments)

    def data(self, *arguments: str) -> Any:
        """What a ``ds01`` command says with ``--json``."""
        done = self.ds01(*arguments, "--json")
        try:
            return json.loads(done.out)
        except ValueError as error:
            raise BrokenError(f"ds01 {shlex.join(arguments)} --json printed no JSON: {done.out[:200]!r}") from error

    def tries_docker(self, *arguments: str) -> Done:
        """Type a ``docker`` command at the gateway that may be refused."""
        return self.person.run("docker", "-H", f"unix://{self.gateway}", *arguments)

    def docker(self, *arguments: str) -> str:
        """Type a ``docker`` command at the gateway that must work; returns what it printed."""
        return _worked(self.tries_docker(*arguments), "docker", arguments).out.strip()

    def inside(self, container: str, script: str) -> str:
        """Run a shell line in a container; returns what it printed."""
        return self.ds01("exec", container, "--", "sh", "-c", script).out.strip()

    def shell(self, script: str) -> str:
        """Run a shell line on the server, as her."""
        return _worked(self.person.run("sh", "-c", script), "sh -c", (script,)).out.strip()

    # Projects and containers ---------------------------------------------------------------------------
    def project(self, name: str, *packages: str) -> Path:
        """A project whose file lists these packages, with its image built; returns its folder."""
        folder = self.workspace(name)
        if not folder.exists():
            self.ds01("init", name, "--type", "blank", "--no-input")
        self.lists(name, *packages)
        self.ds01("image", "create", name)
        return folder

    def lists(self, name: str, *packages: str) -> None:
        """Edit the project file by hand: these are its packages now."""
        file = self.workspace(name) / "ds01.toml"
        kept = [line for line in file.read_text().splitlines() if not line.startswith("python =")]
        at = kept.index("[image]") + 1
        listed = ", ".join(json.dumps(package) for package in packages)
        text = "\n".join([*kept[:at], f"python = [{listed}]", *kept[at:]]) + "\n"
        _worked(self.person.run("tee", str(file), given=text), "tee", (str(file),))

    def launches(self, project: str, *options: str, name: str = "", gpus: int = 0) -> dict[str, Any]:
        """Launch a container in the background; returns how ``ds01 list`` shows it."""
        named = ("--name", name) if name else ()
        self.ds01("launch", project, *named, "--background", "--gpus", str(gpus), "--yes", *options)
        return self.container(name or project)

    def containers(self) -> list[dict[str, Any]]:
        """Her containers, as ``ds01 list`` shows them."""
        found: list[dict[str, Any]] = self.data("list")
        return found

    def container(self, name: str) -> dict[str, Any]:
        """One of her containers."""
        for found in self.containers():
            if found["name"] == name:
                return found
        raise BrokenError(f"ds01 list does not show {name}")

    def has(self, name: str) -> bool:
        """Whether she has a container of this name."""
        return any(found["name"] == name for found in self.containers())

    def retires_all(self) -> None:
        """Leave nothing behind."""
        for found in self.containers():
            self.ds01("retire", found["name"], "--force", "--yes")


@dataclass(kw_only=True)
class Lab:
    """The stack, its two students, and root's eyes and hands."""

    stack: Stack
    ada: Student
    ben: Student
    guests: set[str] = field(default_factory=set)
    """Other accounts that were asked for."""

    def fresh(self) -> None:
        """No containers of either."""
        self.ada.retires_all()
        self.ben.retires_all()

    def student(self, login: str, uid: int | None = None) -> Student:
        """An ordinary account, made for the lab when it is missing."""
        people.make(login, uid=uid)
        self.guests.add(login)
        return _student(self.stack, login)

    # What root sees ------------------------------------------------------------------------------------
    def engine(self, *arguments: str) -> str:
        """Ask the engine itself, past DS01."""
        done = subprocess.run(
            ["docker", "-H", f"unix://{self.stack.engine}", *arguments], capture_output=True, text=True, check=False
        )
        expect(done.returncode == 0, f"docker {shlex.join(arguments)} at the engine: {done.stderr.strip()}")
        return done.stdout.strip()

    def inspect(self, identity: str) -> dict[str, Any]:
        """A container or image as the engine knows it."""
        found: dict[str, Any] = json.loads(self.engine("inspect", identity))[0]
        return found

    def root(self, *arguments: str) -> Any:
        """What a ``ds01`` command tells an admin, as JSON."""
        done = subprocess.run(
            [Path(self.stack.python).with_name("ds01"), *arguments, "--json"], capture_output=True, text=True,
            check=False, env=os.environ | {"DS01_SOCKET": self.stack.api},
        )  # fmt: skip
        expect(done.returncode == 0, f"ds01 {shlex.join(arguments)} as root: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def root_says(self, *arguments: str) -> str:
        """All that a ``ds01`` command prints for root, whatever its exit code."""
        done = subprocess.run(
            [Path(self.stack.python).with_name("ds01"), *arguments], capture_output=True, text=True, check=False,
            env=os.environ | {"DS01_SOCKET": self.stack.api},
        )  # fmt: skip
        return done.stdout + done.stderr

    def free_slots(self) -> int:
        """How many slots nobody holds."""
        return int(self.root("status")["gpus"]["free"])

    def leases(self) -> list[dict[str, Any]]:
        """All open leases of the server, as ds01d tells an admin."""
        found: list[dict[str, Any]] = json.loads(engine.get(self.stack.api, "/v1/leases?all=1"))
        return found

    # What befalls it -----------------------------------------------------------------------------------
    def kill_ds01d(self) -> None:
        """``kill -9`` of ds01d, and its start again."""
        _kill(self.stack.ds01d)
        self.stack = stack.up(str(self.stack.state), with_base=False)

    def restart_engine(self) -> None:
        """Restart our own engine under its containers. Not possible with an engine that was there before."""
        expect(self.stack.engine_program, "this engine is not the stack's own, so it cannot be restarted here")
        programs.stop(self.stack.engine_program, seconds=60)
        self.stack = stack.up(str(self.stack.state), with_base=False)
        expect(programs.until(lambda: engine.answers(self.stack.engine), 120), "the engine did not come back")

    @contextmanager
    def without_network(self) -> Iterator[None]:
        """The stack's own engine with a cable pulled: its containers reach nothing."""
        ranges = engine.subnets(self.stack.state / "engine")
        rules = [["FORWARD", "--source", subnet, "--jump", "REJECT"] for subnet in ranges]
        for rule in rules:
            subprocess.run(["iptables", "--insert", *rule], check=True)
        try:
            yield
        finally:
            for rule in rules:
                subprocess.run(["iptables", "--delete", *rule], check=True)

    @contextmanager
    def limits(self, values: Mapping[str, str]) -> Iterator[None]:
        """Other default limits for a while, as an admin would set them in the file."""
        file = self.stack.limits
        before, usual = file.read_text(), {key: self._value(key) for key in values}
        file.write_text(_changed(before, values))
        try:
            self._in_force(values)
            yield
        finally:
            file.write_text(before)
            self._in_force(usual)

    def _in_force(self, values: Mapping[str, str]) -> None:
        there = programs.until(lambda: {key: self._value(key) for key in values} == values, 60)
        expect(there, f"{values} in limits.yaml did not come into force")

    def _value(self, key: str) -> str:
        return str(self.ada.data("limits", "explain", key)["value"])


def open_lab(running: Stack, first: str = "ds01-ada", second: str = "ds01-ben") -> Lab:
    """A lab on a running stack, with two accounts that are made when missing."""
    for login in (first, second):
        people.make(login)
    return Lab(stack=running, ada=_student(running, first), ben=_student(running, second))


def close_lab(lab: Lab) -> None:
    """Remove the accounts that were made for it, with their homes."""
    for login in (lab.ada.person.login, lab.ben.person.login, *lab.guests):
        people.remove(login)


def _student(running: Stack, login: str) -> Student:
    commands = Path(running.python).parent
    extra = {"DS01_SOCKET": running.api, "PATH": f"{commands}:/usr/local/bin:/usr/bin:/bin"}
    return Student(person=people.person(login, **extra), commands=commands, gateway=running.door)


def _worked(done: Done, program: str, arguments: tuple[str, ...]) -> Done:
    if done.code != 0:
        said = (done.err.strip() or done.out.strip()).splitlines()
        raise BrokenError(f"{program} {shlex.join(arguments)} ended with {done.code}: {' / '.join(said[-4:])}")
    return done


def _changed(text: str, values: Mapping[str, str]) -> str:
    """A limits file with other defaults; ``gpus.max`` is the key ``max`` under ``gpus``."""
    yaml = YAML()
    found = yaml.load(text)
    for key, value in values.items():
        *above, last = key.split(".")
        place = found["defaults"]
        for part in above:
            place = place.setdefault(part, {})
        place[last] = int(value) if value.isdecimal() else value
    out = io.StringIO()
    yaml.dump(found, out)
    return out.getvalue()


def _kill(program: programs.Program | None) -> None:
    if program is not None and programs.alive(program):
        os.kill(program.pid, signal.SIGKILL)
        programs.until(lambda: not programs.alive(program), 60)
