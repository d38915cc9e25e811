"""What Tab offers: commands, options, values and the user's own names, from the same registry as everything else.

The shells' scripts are a few lines that ask ``ds01 __complete`` with the words so far. It must answer before a person
notices, so names come straight from ds01d's answer, without the types of the wire, and whatever goes wrong is nothing
to offer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from ds01.cli import tree
from ds01.cli.command import TIERS, Argument, Command, Option, common
from ds01.domain.errors import Ds01Error

Offer = tuple[str, str]
"""A word and what it means."""

_PATIENCE_SECONDS = 0.5


def offers(words: Sequence[str]) -> list[Offer]:
    """What may stand at the end of ``words``, the last of which is unfinished (or empty)."""
    *done, partial = words or [""]
    try:
        found = tree.find(done)
    except Ds01Error:
        return []
    entry, rest = found.entry, list(found.rest)
    if isinstance(entry, Command):
        names = tree.members(found.typed) if not rest and tree.is_group(found.typed) else ()
        offered = [*_verbs(found.typed, names), *_in_command(entry, rest, partial)]
    else:
        offered = [*_verbs(found.typed, tree.members(found.typed)), *_options(TIERS, partial)]
    return [(word, meaning) for word, meaning in offered if word.startswith(partial)]


def _verbs(group: str, names: Sequence[str]) -> Iterator[Offer]:
    for name in names:
        yield name, tree.summary(f"{group} {name}".strip())


def _in_command(command: Command, rest: Sequence[str], partial: str) -> Iterator[Offer]:
    options = (*command.options, *common(command), *TIERS)
    before = _option(options, rest[-1]) if rest and "--" not in rest else None
    if before is not None and before.value:
        yield from values(before, partial)
    elif partial.startswith("-") and "--" not in rest:
        yield from _options(options, partial)
    else:
        argument = _argument(command, options, rest)
        if argument is not None:
            yield from values(argument, partial)


def _options(options: Sequence[Option], partial: str) -> Iterator[Offer]:
    if partial.startswith("-"):
        for option in options:
            yield option.name, option.help


def _option(options: Sequence[Option], word: str) -> Option | None:
    return next((option for option in options if word in (option.name, option.short) and word), None)


def _argument(command: Command, options: Sequence[Option], rest: Sequence[str]) -> Argument | None:
    """The argument that comes next, after the words that are arguments already."""
    count, skip = 0, False
    for word in rest:
        option = _option(options, word)
        count += not skip and not word.startswith("-")
        skip = option is not None and bool(option.value) and not option.optional
    for argument in command.arguments:
        if argument.many or argument.rest or count == 0:
            return argument
        count -= 1
    return None


def values(taker: Option | Argument, partial: str) -> Iterator[Offer]:
    """What may be given for an option or an argument."""
    if isinstance(taker, Option) and taker.choices:
        yield from ((choice, "") for choice in taker.choices)
    kind = _KINDS.get(taker.complete)
    if kind is not None:
        yield from kind(partial)


def _containers(_: str) -> Iterator[Offer]:
    for container in _asked("/v1/containers"):
        yield container["name"], container["state"]


def _images(_: str) -> Iterator[Offer]:
    for image in _asked("/v1/images"):
        yield image["reference"], ""


def _asked(target: str, inside: str = "") -> list[dict[str, str]]:
    """A list ds01d has; ``inside`` is the field of the answer that has it. None when it cannot be had quickly."""
    import json

    from ds01.client.http import BadAnswerError, Request, send
    from ds01.client.place import socket_path

    try:
        response = send(socket_path(), Request(method="GET", target=target), _PATIENCE_SECONDS)
        found = json.loads(response.read())
    except (OSError, BadAnswerError, ValueError):
        return []
    if inside and isinstance(found, dict):
        found = found.get(inside)
    return found if isinstance(found, list) else []


def _waiting(_: str) -> Iterator[Offer]:
    for place in _asked("/v1/queue", "places"):
        yield place["name"], place["state"]


def _bookings(_: str) -> Iterator[Offer]:
    names = {one["name"]: one["asked"] for one in _asked("/v1/bookings", "bookings") if one["kind"] != "class"}
    yield from names.items()


def _classes(_: str) -> Iterator[Offer]:
    for one in _asked("/v1/classes"):
        yield one["name"], one["asked"]


def _jobs(_: str) -> Iterator[Offer]:
    for job in _asked("/v1/jobs?limit=50"):
        yield job["name"], job["state"]
        if job["array"]:
            yield job["array"], "array"


def _ending(partial: str) -> Iterator[Offer]:
    """What can be cancelled: open jobs and places in the queue."""
    yield from ((name, state) for name, state in _jobs(partial) if state != "ended")
    yield from _waiting(partial)


def _logged(partial: str) -> Iterator[Offer]:
    yield from _containers(partial)
    yield from _jobs(partial)


def _projects(_: str) -> Iterator[Offer]:
    folder = os.path.expanduser("~/workspace")
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        if _is_project(os.path.join(folder, name)):
            yield name, "project"


def _built(partial: str) -> Iterator[Offer]:
    """Projects, and what has an image still though its folder is gone."""
    projects = dict(_projects(partial))
    yield from projects.items()
    images = {image["project"]: "image" for image in _asked("/v1/images") if image.get("project")}
    yield from (offer for offer in images.items() if offer[0] not in projects)


def _is_project(folder: str) -> bool:
    if os.path.exists(os.path.join(folder, "ds01.toml")):
        return True
    if not os.path.exists(os.path.join(folder, "pyproject.toml")):
        return False
    from ds01.projects.file import has_file  # reads TOML, and few projects need it

    return has_file(folder)


def _types(_: str) -> Iterator[Offer]:
    from ds01.projects.kinds import KINDS

    yield from ((kind.name, kind.purpose) for kind in KINDS.values())


def _bases(_: str) -> Iterator[Offer]:
    for base in _asked("/v1/images/settings", "bases"):
        yield base["name"], base["description"]


def _launches(partial: str) -> Iterator[Offer]:
    projects = dict(_projects(partial))
    yield from projects.items()
    others = {**dict(_containers(partial)), **{name: f"class: {asked}" for name, asked in _classes(partial)}}
    yield from (offer for offer in others.items() if offer[0] not in projects)


def _folders(partial: str) -> Iterator[Offer]:
    yield from (offer for offer in _files(partial) if offer[0].endswith("/"))


def _files(partial: str) -> Iterator[Offer]:
    head = partial[: partial.rfind("/") + 1]
    try:
        entries = sorted(os.scandir(os.path.expanduser(head) or "."), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if not entry.name.startswith(".") or partial[len(head) :].startswith("."):
            yield head + entry.name + ("/" if entry.is_dir() else ""), ""


def _paths(partial: str) -> Iterator[Offer]:
    yield from _files(partial)
    yield from ((f"{name}:", state) for name, state in _containers(partial))


def _topics(_: str) -> Iterator[Offer]:
    from ds01.cli.topics import names

    yield from ((name, "") for name in (*names(), "commands"))


def _gpus(_: str) -> Iterator[Offer]:
    slots = _asked("/v1/gpus", "slots")
    if slots:
        yield "all", "every GPU of the server"
    yield from {slot["label"].partition(":")[0]: "GPU" for slot in slots}.items()
    yield from ((slot["label"], slot["state"]) for slot in slots if ":" in slot["label"])
    yield from ((slot["id"], slot["label"]) for slot in slots)


def _events(_: str) -> Iterator[Offer]:
    from ds01.domain.events import EventType

    yield from ((kind.value, "") for kind in EventType)


def _limits(_: str) -> Iterator[Offer]:
    from ds01.domain.limit_keys import KEYS

    yield from ((name, key.meaning) for name, key in KEYS.items())


def _shells(_: str) -> Iterator[Offer]:
    yield from ((name, "") for name in ("bash", "zsh", "fish"))


_KINDS: dict[str, Callable[[str], Iterator[Offer]]] = {
    "container": _containers,
    "waiting": _waiting,
    "booking": _bookings,
    "class": _classes,
    "job": _jobs,
    "ending": _ending,
    "logged": _logged,
    "image": _images,
    "project": _projects,
    "built": _built,
    "launch": _launches,
    "folder": _folders,
    "file": _files,
    "path": _paths,
    "topic": _topics,
    "event": _events,
    "gpu": _gpus,
    "limit": _limits,
    "shell": _shells,
    "type": _types,
    "base": _bases,
}
