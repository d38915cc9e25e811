"""``POST /build`` of the engine's own builder: its parameters, judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ds01.domain.dockerpolicy import shape, strictjson
from ds01.domain.dockerpolicy.labels import users_own
from ds01.domain.dockerpolicy.network import HOST_ENTRY
from ds01.domain.dockerpolicy.query import Query, Rules, anything, flag, lines, matching, number, one_of
from ds01.domain.dockerpolicy.session import ID as SESSION
from ds01.domain.dockerpolicy.tags import reference
from ds01.domain.dockerpolicy.verdict import Change, malformed, not_allowed
from ds01.domain.labels import BUILD_LABELS

TAGS = 16
PATH = 255
_TARGET = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_AMOUNTS = ("memory", "memswap", "cpushares", "cpuquota", "cpuperiod", "shmsize")
_JSON = ("buildargs", "labels", "cachefrom", "ulimits", "securityopt", "outputs")

BUILD = Rules(
    one={
        "version": one_of("1", "2"),
        "session": matching(SESSION, "the id of a session"),
        "remote": one_of("client-session"),
        "buildid": matching(r"[A-Za-z0-9]{1,128}", "up to 128 letters and digits"),
        "target": matching(_TARGET, "the name or number of a stage"),
        "platform": matching(r"linux(/[a-z0-9_]+)*", "a platform like linux/amd64"),
        "networkmode": matching(
            r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}(:[A-Za-z0-9][A-Za-z0-9_.-]{0,127})?",
            "the name of a network of yours, or none",
        ),
        "cgroupparent": anything,
        "isolation": one_of("default"),
        "cpusetcpus": matching(r"[0-9,-]+", "numbers like 0-3,7"),
        "cpusetmems": matching(r"[0-9,-]+", "numbers like 0-3,7"),
        **dict.fromkeys(("q", "nocache", "rm", "forcerm", "pull", "squash"), flag),
        **dict.fromkeys(_AMOUNTS, number),
        **dict.fromkeys(_JSON, anything),
    },
    many={"t": anything, "dockerfile": lines, "extrahosts": anything},
)
"""The parameters there are rules for. What is not here is refused, and every address for ``remote``."""


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """A judged build: what passes as it is, and what the grant decides."""

    dockerfile: str
    refs: tuple[str, ...]
    arguments: Mapping[str, str]
    labels: Mapping[str, str]
    target: str
    offline: bool
    network: str
    """The network of hers that it names; empty for her own."""
    cached_from: tuple[str, ...]
    """The images it takes layers from; empty for any of hers."""
    cached: bool
    """Whether layers are taken at all."""
    passed: Mapping[str, Sequence[str]]
    memory_bytes: int
    changes: tuple[Change, ...] = field(default=())


def judge_build(query: Query) -> BuildPlan:
    """The plan of a build. Raises RefusedError."""
    changes: list[Change] = []
    _refuse(query)
    cached_from = _cached_from(query.get("cachefrom"))
    if cached_from:
        changes.append(Change(rule="build.cache", text="layers are taken from your own images only"))
    if query.on("pull"):
        changes.append(Change(rule="build.pull", text="images are not pulled for a build"))
    mode = query.get("networkmode")
    if mode == "host" or ":" in mode:
        what = "the host's network" if mode == "host" else "another container's network"
        raise not_allowed("build.network", f"{what} in a build", "Leave it out.")
    passed = {name: query.values[name] for name in ("q", "nocache", "rm", "forcerm") if name in query.values}
    if hosts := extra_hosts(query.values.get("extrahosts", ())):
        passed["extrahosts"] = hosts
    tags = query.values.get("t", ())
    if len(tags) > TAGS:
        raise malformed("build.tags", f"A build can have {TAGS} names at most")
    return BuildPlan(
        dockerfile=_dockerfile(anything("dockerfile", query.get("dockerfile"))),
        refs=tuple(dict.fromkeys(reference(tag) for tag in tags if tag)),
        arguments=_map("buildargs", query.get("buildargs")),
        labels=_labels(query.get("labels"), changes),
        target=query.get("target"),
        offline=mode == "none",
        network="" if mode in ("default", "bridge", "none") else mode,
        cached_from=cached_from,
        cached=not query.on("nocache"),
        passed=passed,
        memory_bytes=int(query.get("memory") or 0),
        changes=tuple(changes),
    )


def _cached_from(text: str) -> tuple[str, ...]:
    """Names and ids of images; what is none of an image's is like one that is not there."""
    found = strictjson.parse(text.encode()) if text else None
    return tuple(shape.texts("cachefrom", found))


def extra_hosts(entries: Sequence[str]) -> list[str]:
    """Names and addresses for the steps' ``/etc/hosts``: one or more to a parameter."""
    found = [entry for text in entries for entry in text.split(",") if entry]
    for entry in found:
        if not HOST_ENTRY.fullmatch(entry):
            raise malformed("build.hosts", f"{entry!r} is no host and address", "Write it like db:10.0.0.5.")
    return found


def _refuse(query: Query) -> None:
    if query.get("version") != "2" and (query.get("remote") or query.get("session")):
        raise malformed("build.session", "Only BuildKit builds over a session", "Send the context as an archive.")
    for name in ("ulimits", "securityopt", "outputs"):
        value = query.get(name)
        if value and not strictjson.is_zero(strictjson.parse(value.encode())):
            raise not_allowed("build.parameters", f"{name} in a build", "Leave it out.")
    if query.on("squash"):
        raise not_allowed("build.parameters", "squashing a build", "Leave it out.")


def _dockerfile(path: str) -> str:
    parts = [part for part in (path or "Dockerfile").split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise malformed("build.dockerfile", f"The Dockerfile {path!r} must be inside the build context")
    if len(path) > PATH:
        raise malformed("build.dockerfile", f"The Dockerfile's path is longer than {PATH} characters", "Shorten it.")
    return "/".join(parts)


def _map(name: str, value: str) -> dict[str, str]:
    """A map of texts; null stands for a build argument that is taken from nowhere."""
    if not value:
        return {}
    found = shape.mapping(name, strictjson.parse(value.encode()))
    return {key: shape.text(name, item, multiline=True) for key, item in found.items() if item is not None}


def _labels(value: str, changes: list[Change]) -> dict[str, str]:
    """The user's labels, and the facts about a recipe that DS01's own builds write down."""
    asked = {key: shape.text("labels", text) for key, text in _map("labels", value).items()}
    return users_own("build.labels", asked, changes, also=BUILD_LABELS)
