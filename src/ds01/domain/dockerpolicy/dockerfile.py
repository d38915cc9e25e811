"""A Dockerfile read into instructions and written anew, one line each, with every image it names known.

``FROM`` and ``COPY --from`` reach any image of the engine, ``ADD`` any address the host reaches, and two parsers of
Dockerfiles never agree on everything. So the engine gets a text of ours: no continuations, no directives, one
instruction a line, and ids instead of names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from ds01.domain.dockerpolicy import runflags
from ds01.domain.dockerpolicy.context import IGNORE
from ds01.domain.dockerpolicy.platform import check_platform
from ds01.domain.dockerpolicy.verdict import RefusedError, malformed, not_allowed
from ds01.domain.health import OFTEN_SECONDS
from ds01.domain.image import is_reference

LENGTH = 256 * 1024
INSTRUCTIONS = 1000
"""More than any build has, of steps and of arguments before the first."""

VALUE = 4096
"""The longest text that variables may grow into: each can hold the one before it twice."""

SCRATCH = "scratch"
_PLAIN = frozenset(
    {"ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "RUN", "SHELL", "STOPSIGNAL",
     "USER", "VOLUME", "WORKDIR"}
)  # fmt: skip
_CHANGES = frozenset(
    {"CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "USER", "VOLUME", "WORKDIR"}
)
"""What ``commit`` and ``import`` may change."""

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+)")
_CONTINUED = re.compile(r"\\[ \t]*$")
_TWICE = re.compile(r"\\\\[ \t]*$")
_FROM = re.compile(
    r"(?:--platform=(?P<platform>\S+)\s+)?(?P<image>\S+)(?:\s+[Aa][Ss]\s+(?P<stage>[A-Za-z][A-Za-z0-9._-]*))?"
)
_FLAG = re.compile(r"--([a-z]+)=([A-Za-z0-9_./:@$,{}-]+)")
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:[-+])([A-Za-z0-9._/:@-]*))?\})", re.ASCII)
_ARG = re.compile(r"([A-Za-z_]\w*)(?:=(.*))?", re.ASCII)
_DURATION = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
_HEALTH_TIMES = frozenset({"--interval", "--start-interval"})
_COPY_FLAGS = frozenset({"from", "chown", "chmod"})
_BLANKS = str.maketrans("\t\n", "  ")
_HERE = re.compile(r"\d*<<-?[^<]+")


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction. ``images`` are those it names, in order, where ``{image}`` stands in ``text``; ``platform`` is
    what ``FROM`` says of it, which is not in the text.
    """

    text: str
    images: tuple[str, ...] = ()
    platform: str = ""

    def line(self, names: Mapping[str, str]) -> str:
        """The line, with these names in the images' places."""
        done, rest = "", self.text
        for image in self.images:
            before, _, rest = rest.partition("{image}")
            done += before + names[image]
        return done + rest

    @property
    def name(self) -> str:
        """Its first word."""
        return self.text.partition(" ")[0]


def is_ignore(path: str) -> bool:
    """Whether a path leads to a list of what stays out of a build, or through a folder that is called so."""
    return any(part.endswith(IGNORE) for part in path.split("/"))


def check_name(path: str) -> None:
    """BuildKit asks for the Dockerfile and its ``.dockerignore`` in one breath, and only one of them is judged. Raises
    RefusedError.
    """
    if is_ignore(path):
        raise malformed("build.dockerfile", f"A Dockerfile cannot be called {path[:60]!r}", "Rename it.")


def read(text: str, arguments: Mapping[str, str], *, buildkit: bool = False) -> tuple[Instruction, ...]:
    """The instructions. ``arguments`` are the build's; they can choose what ``FROM`` names. ``buildkit`` knows what
    only BuildKit does: mounts of ``RUN``, ``COPY --link``. Raises RefusedError.
    """
    if len(text) > LENGTH:
        raise malformed("build.dockerfile", f"The Dockerfile is longer than {LENGTH} characters", "COPY what is long.")
    reader = _Reader(arguments, buildkit)
    lines = list(islice(_logical(text), INSTRUCTIONS + 1))
    if len(lines) > INSTRUCTIONS:
        raise malformed("build.dockerfile", f"The Dockerfile has more than {INSTRUCTIONS} instructions",
                        "Join steps with &&, or build in two parts.")  # fmt: skip
    found = tuple(map(reader.judge, lines))
    if not reader.stages:
        raise malformed("build.dockerfile", "The Dockerfile has no FROM")
    return found


def images(instructions: tuple[Instruction, ...]) -> tuple[str, ...]:
    """Every image the Dockerfile names, without ``scratch`` and its own stages."""
    return tuple(dict.fromkeys(image for each in instructions for image in each.images))


def check_platforms(instructions: Iterable[Instruction], platform: str) -> None:
    """Each ``FROM`` is for this server. What a variable says is left out: mostly it is the server's own
    (``$BUILDPLATFORM``). Raises RefusedError.
    """
    for each in instructions:
        if "$" not in each.platform:
            check_platform("build.platform", "building for", each.platform, platform)


def judged_triggers(triggers: Iterable[str]) -> tuple[str, ...]:
    """The ONBUILD instructions of a base run in this build: they may name no image and fetch nothing. Each as one line;
    raises RefusedError.
    """
    return tuple(_trigger(_single(trigger)) for trigger in triggers)


def change(text: str) -> str:
    """One instruction of ``docker commit --change`` or ``import --change``, as one line. Raises RefusedError."""
    _check_characters(text)
    name, _, rest = text.strip().replace("\t", " ").partition(" ")
    name, rest = name.upper(), text.strip()[len(name) :].strip(" \t")
    if name not in _CHANGES or not rest or "\n" in rest or rest.endswith("\\"):
        raise malformed("commit.change", f"{text[:60]!r} cannot be a change of an image")
    return f"ONBUILD {_trigger(rest)}" if name == "ONBUILD" else _other(name, rest)


def _single(trigger: str) -> str:
    """The one instruction of a trigger, which an image may have from anywhere. The engine reads it as a Dockerfile of
    its own: it joins lines, and heeds directives. Which comments it leaves out differs between engines.
    """
    _check_characters(trigger)
    commented = any(line.strip(" \t").startswith("#") for line in trigger.split("\n"))
    lines = [] if commented else list(islice(_logical(trigger), 2))
    if len(lines) != 1 or lines[0].endswith("\\"):
        raise malformed("build.onbuild", f"The image's ONBUILD {trigger[:60]!r} is not one instruction",
                        "Build the image anew, with each on a line of its own.")  # fmt: skip
    return lines[0]


def _check_characters(text: str) -> None:
    if not text.translate(_BLANKS).isprintable():
        character = next(each for each in text if each not in "\t\n" and not each.isprintable())
        raise malformed("build.dockerfile", f"The Dockerfile contains the character U+{ord(character):04X}")


def _logical(text: str) -> Iterator[str]:
    """Instructions with their continuations joined, as the engine joins them."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    _check_characters(text)
    held, directives, begun = "", True, False
    for line in text.split("\n"):
        bare = line.strip(" \t")
        if bare.startswith("#"):
            directives = directives and not begun and _directive(bare)
            continue
        if not bare:
            directives = False if not begun else directives
            continue
        directives = False
        if _TWICE.search(line):
            raise malformed("build.dockerfile", "A line of the Dockerfile ends with two backslashes")
        begun = _CONTINUED.search(line) is not None
        held += _CONTINUED.sub("", line) if begun else line
        if not begun:
            yield held.strip(" \t")
            held = ""
    if held.strip():
        yield held.strip(" \t")


def _directive(line: str) -> bool:
    """A directive at the top; an escape character of its own would change how everything after it is read."""
    match = _DIRECTIVE.fullmatch(line)
    if match is None:
        return False
    if match[1].lower() == "escape" and match[2] != "\\":
        raise not_allowed("build.dockerfile", "another escape character in a Dockerfile", "Use backslashes.")
    return True


class _Reader:
    """Judges instructions in order: stages and arguments are known from the ones before."""

    def __init__(self, arguments: Mapping[str, str], buildkit: bool) -> None:
        self._given = arguments
        self._buildkit = buildkit
        self._known: dict[str, str] = {}
        self.stages: list[str] = []

    def judge(self, line: str) -> Instruction:
        name, _, rest = line.replace("\t", " ").partition(" ")
        name, rest = name.upper(), line[len(name) :].strip(" \t")
        if line.rstrip(" \t").endswith("\\"):
            raise malformed("build.dockerfile", "The Dockerfile ends in the middle of an instruction")
        if name == "FROM":
            return self._from(rest)
        if not self.stages and name != "ARG":
            raise malformed("build.dockerfile", "Before the first FROM only ARG may stand")
        if name == "COPY":
            return self._copy(rest)
        if name == "RUN" and self._buildkit:
            return self._run(rest)
        if name == "ARG" and not self.stages:
            self._argument(rest)
        return Instruction(text=_other(name, rest))

    def _from(self, rest: str) -> Instruction:
        match = _FROM.fullmatch(rest)
        if match is None:
            raise malformed("build.dockerfile", f"FROM {rest[:60]!r} cannot be read", "Write FROM image AS name.")
        image = self._expanded(match["image"])
        suffix = f" AS {match['stage']}" if match["stage"] else ""
        known, platform = image.lower() in self.stages, (match["platform"] or "").strip("\"'")
        self.stages.append((match["stage"] or "").lower())
        if known or image == SCRATCH:
            return Instruction(text=f"FROM {image}{suffix}", platform=platform)
        return Instruction(text=f"FROM {{image}}{suffix}", images=(_image(image),), platform=platform)

    def _expanded(self, text: str) -> str:
        found = self._grown(text)
        if "$" in found:
            raise malformed("build.dockerfile", f"FROM {text[:60]!r} cannot be read", "Write the image's name.")
        return found.strip("\"'")

    def _grown(self, text: str) -> str:
        """The text with its variables' values, which are of a length that cannot multiply without end."""
        if "$" not in text:
            return text
        found = _VARIABLE.sub(self._value, text) if len(text) <= VALUE else text
        if len(found) > VALUE:
            raise self._too_long(text)
        return found

    @staticmethod
    def _too_long(text: str) -> RefusedError:
        what = f"{text[:60]!r} with its variables' values is longer than {VALUE} characters"
        return malformed("build.dockerfile", what, "Write shorter values.")

    def _value(self, match: re.Match[str]) -> str:
        value = self._known.get(match[1] or match[2], "")
        if len(value) > VALUE:
            raise self._too_long(match[0])
        if match[3] == ":-":
            return value or match[4]
        if match[3] == ":+":
            return match[4] if value else ""
        return value

    def _argument(self, rest: str) -> None:
        for word in rest.split():
            match = _ARG.fullmatch(word)
            if match is not None:
                default = self._grown((match[2] or "").strip("\"'"))
                self._known[match[1]] = self._given.get(match[1], default)
        if len(self._known) > INSTRUCTIONS:
            raise malformed("build.dockerfile", f"More than {INSTRUCTIONS} arguments stand before the first FROM",
                            "Leave out those that no FROM names.")  # fmt: skip

    def _copy(self, rest: str) -> Instruction:
        link = self._buildkit and rest.startswith("--link ")
        flags, rest = _flags("COPY", rest.removeprefix("--link ") if link else rest, _COPY_FLAGS)
        _no_here("COPY", rest)
        source = flags.pop("from", "")
        shown = (" --link" if link else "") + "".join(f" --{name}={value}" for name, value in flags.items())
        if not source:
            return Instruction(text=f"COPY{shown} {rest}")
        if self._is_stage("COPY --from", source):
            return Instruction(text=f"COPY --from={source}{shown} {rest}")
        return Instruction(text=f"COPY --from={{image}}{shown} {rest}", images=(_image(source),))

    def _run(self, rest: str) -> Instruction:
        """``RUN`` with its mounts."""
        words, command = runflags.split(rest)
        images = []
        for index, source in runflags.sources(words):
            if not self._is_stage("RUN --mount from", source[1]):
                images.append(_image(source[1]))
                words[index] = f"{words[index][: source.start(1)]}{{image}}{words[index][source.end(1) :]}"
        _no_here("RUN", command)
        return Instruction(text=" ".join(("RUN", *words, command)), images=tuple(images))

    def _is_stage(self, said: str, source: str) -> bool:
        if source.isdecimal():
            if int(source) >= len(self.stages) - 1:
                raise malformed("build.dockerfile", f"{said}={source} names no earlier stage")
            return True
        return source.lower() in self.stages[:-1]


def _image(ref: str) -> str:
    if not is_reference(ref):
        raise malformed("build.dockerfile", f"{ref[:60]!r} cannot be an image's name")
    return ref


def _flags(name: str, rest: str, known: frozenset[str]) -> tuple[dict[str, str], str]:
    """The flags in front of an instruction's words. Spelled plainly, or not at all."""
    flags: dict[str, str] = {}
    while rest.startswith("--"):
        word, _, left = rest.replace("\t", " ").partition(" ")
        match = _FLAG.fullmatch(word)
        if match is None or match[1] not in known or match[1] in flags:
            raise not_allowed("build.flags", f"{name} {word[:40]}", "The builder here does not have this option.")
        flags[match[1]] = match[2]
        rest = left.strip(" ")
    if flags.get("from", "").count("$"):
        raise malformed("build.dockerfile", "COPY --from cannot be a variable", "Write the name.")
    return flags, rest


def _other(name: str, rest: str) -> str:
    """Any instruction but FROM and COPY, as one line."""
    if name == "ADD":
        return _add(rest)
    if name == "ONBUILD":
        return f"ONBUILD {_trigger(rest)}"
    if name not in _PLAIN:
        raise malformed("build.dockerfile", f"{name[:20]!r} is no instruction of a Dockerfile")
    if name == "RUN" and rest.startswith("--"):
        raise not_allowed("build.flags", f"RUN {rest.split()[0][:40]}", "The builder here does not have this option.")
    if name == "HEALTHCHECK":
        _check_health(rest)
    _no_here(name, rest)
    return f"{name} {rest}"


def _check_health(rest: str) -> None:
    """A check runs for as long as a container does: as often as every millisecond it would keep the engine busy."""
    for flag in re.findall(r"--\S+", re.split(r"\b(?:CMD|NONE)\b", rest, maxsplit=1, flags=re.IGNORECASE)[0]):
        name, _, value = flag.partition("=")
        match = _DURATION.fullmatch(value)
        if name not in _HEALTH_TIMES:
            continue
        seconds = (
            sum(int(part or 0) * unit for part, unit in zip(match.groups(), (3600, 60, 1), strict=True)) if match else 1
        )
        if 0 < seconds < OFTEN_SECONDS:
            raise not_allowed(
                "build.health", f"HEALTHCHECK {flag[:40]}", f"Use whole seconds, at least {OFTEN_SECONDS}s."
            )


def _no_here(name: str, rest: str) -> None:
    if name in ("RUN", "COPY", "ADD") and any(_HERE.fullmatch(word) for word in rest.split()):
        raise not_allowed("build.here", "a here-document in a Dockerfile", "Put the script into a file and COPY it.")


def _trigger(line: str) -> str:
    name, _, rest = line.replace("\t", " ").partition(" ")
    name, rest = name.upper(), line[len(name) :].strip(" \t")
    if name in ("FROM", "ONBUILD", "MAINTAINER"):
        raise malformed("build.dockerfile", f"ONBUILD {name} is no instruction of a Dockerfile")
    if name == "COPY":
        flags, rest = _flags("COPY", rest, frozenset({"chown", "chmod"}))
        _no_here("COPY", rest)
        return "COPY" + "".join(f" --{flag}={value}" for flag, value in flags.items()) + f" {rest}"
    return _other(name, rest)


def _add(rest: str) -> str:
    """``ADD`` fetches addresses with the host's own reach; files and archives of the context are fine. For BuildKit
    ``user@host:path`` is an address too, of git by ssh, and in some versions ``host:path``.
    """
    flags, words = _flags("ADD", rest, frozenset({"chown", "chmod"}))
    _no_here("ADD", words)
    for source in _sources(words):
        remote = ":" in source.partition("/")[0]
        if remote or any(part in source for part in ("://", "$", "\\", '"', "'", "git@")):
            raise not_allowed("build.add", f"ADD {source[:60]}", "Fetch it with RUN, or use COPY.")
    return "ADD" + "".join(f" --{flag}={value}" for flag, value in flags.items()) + f" {words}"


def _sources(words: str) -> list[str]:
    if words.startswith("["):
        try:
            found = json.loads(words)
        except ValueError as error:
            raise malformed("build.dockerfile", f"ADD {words[:60]} cannot be read") from error
        if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
            raise malformed("build.dockerfile", f"ADD {words[:60]} cannot be read")
        return found[:-1]
    return words.split()[:-1]
