"""The options of BuildKit's Dockerfile frontend, as buildx sends them: each by its name, or refused.

The frontend is always the engine's own: a ``# syntax=`` line would fetch a program that decides what is built. What is
set here besides is what marks a build as its owner's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ds01.domain.dockerpolicy.buildkit import judge_arguments
from ds01.domain.dockerpolicy.dockerfile import check_name
from ds01.domain.dockerpolicy.labels import users_own
from ds01.domain.dockerpolicy.platform import check_platform
from ds01.domain.dockerpolicy.verdict import Change, malformed, not_allowed
from ds01.domain.dockerpolicy.weight import check_labels
from ds01.domain.labels import BUILD_LABELS

NAMES = frozenset({"", "dockerfile.v0"})
"""The frontends there are: the engine's own, or none, when the client asks for it in a second step."""

_ARGUMENT, _LABEL, _CONTEXT = "build-arg:", "label:", "context:"
_KEPT = {
    "filename": re.compile(r"(?!/)(?!.*\.\.)[ -~]{1,255}"),
    "target": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"),
    "no-cache": re.compile(r"[A-Za-z0-9._,-]{0,1024}"),
    "multi-platform": re.compile(r"true|false|0|1"),
    "frontend.caps": re.compile(r"[a-z0-9.,+-]{0,1024}"),
    "requestid": re.compile(r"frontend\.(?:outline|targets|lint|subrequests\.describe)"),
    "ignorecase": re.compile(r"true|false"),
    "dockerfilekey": re.compile(r"dockerfile[A-Za-z0-9._-]{0,64}"),
    "contextkey": re.compile(r"(?!dockerfile)[A-Za-z0-9._-]{1,64}"),
}
_PASSED = ("vcs:", "attest:provenance")
_LEFT_OUT = frozenset({"image-resolve-mode", "shm-size", "ulimit", "cache-imports", "cmdline", "source"})
_NETWORKS = {"": "", "none": "none", "default": "", "sandbox": ""}
_REFUSED = {
    "cgroup-parent": "another cgroup for a build",
    "add-hosts": "host names of one's own in a build",
    "context": "a context from an address",
    "hostname": "another host name in a build",
}
_IMAGE = re.compile(r"docker-image://[A-Za-z0-9][A-Za-z0-9._:@/-]*")
_LOCAL = re.compile(r"local:[A-Za-z0-9._-]+")
_FILES_OF_DOCKERFILE = "local:dockerfile"
"""So begin the names of files among which a Dockerfile is."""

_PRINTABLE = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f]*")


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What marks a build as its owner's."""

    labels: Mapping[str, str]
    step_host: str
    account: str


@dataclass(kw_only=True)
class Frontend:
    """Judged options."""

    options: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def check_unpoliced(self) -> None:
        """An engine that keeps no policy for sources would take another image where a name was judged. Raises
        RefusedError.
        """
        if any(name.startswith(_CONTEXT) for name in self.options):
            raise not_allowed("build.context", "a context by name on this engine", "Name the image in the Dockerfile.")

    def finished(self, marks: Marks) -> dict[str, str]:
        """The options for the engine."""
        return {
            **self.options,
            **{f"{_LABEL}{name}": value for name, value in {**self.labels, **marks.labels}.items()},
            **{f"{_ARGUMENT}{name}": value for name, value in self.arguments.items()},
            f"{_ARGUMENT}BUILDKIT_CACHE_MOUNT_NS": marks.account.replace(":", "-"),
            "add-hosts": f"{marks.step_host}=127.0.0.1",
            "cmdline": "docker/dockerfile",
        }


def judge_frontend(options: Mapping[str, str], platform: str) -> Frontend:
    """The options, judged. Raises RefusedError."""
    found = Frontend()
    for name, value in options.items():
        if not _PRINTABLE.fullmatch(name) or not _PRINTABLE.fullmatch(value):
            raise malformed("build.option", f"The option {name[:40]!r} contains a control character")
        _judge(found, name, value, platform)
    check_labels("build.labels", found.labels)
    found.arguments, changes = judge_arguments(found.arguments)
    found.changes += changes
    return found


def _judge(found: Frontend, name: str, value: str, platform: str) -> None:
    kind = name.partition(":")[0] + ":"
    if kind == _ARGUMENT:
        found.arguments[name.removeprefix(_ARGUMENT)] = value
    elif kind == _LABEL:
        label = {name.removeprefix(_LABEL): value}
        found.labels |= users_own("build.labels", label, found.changes, also=BUILD_LABELS)
    elif kind == _CONTEXT:
        _context(found, name, value)
    elif name in _KEPT or name.startswith(_PASSED):
        _kept(found, name, value)
    elif name == "force-network-mode":
        _network(found, value)
    elif name == "platform":
        check_platform("build.platform", "building for", value, platform)
    else:
        _left_out(found, name, value)


def _kept(found: Frontend, name: str, value: str) -> None:
    if name in _KEPT and not _KEPT[name].fullmatch(value):
        raise malformed("build.option", f"{name} has a value that is not served")
    if name == "filename":
        check_name(value)
    found.options[name] = value


def _left_out(found: Frontend, name: str, value: str) -> None:
    if name in _LEFT_OUT:
        found.changes.append(Change(rule="build.option", text=f"{name} left out"))
    elif value:
        what = _REFUSED.get(name, f"the option {name[:40]} of a build")
        raise not_allowed("build.option", what, "Leave it out.")


def _context(found: Frontend, name: str, value: str) -> None:
    """A context by name: an image, which the engine judges by our rules, or more of one's own files."""
    if not (_IMAGE.fullmatch(value) or _LOCAL.fullmatch(value)):
        raise not_allowed("build.context", f"the context {value[:60]}", "Use an image or a folder.")
    if value.startswith(_FILES_OF_DOCKERFILE):
        raise malformed("build.context", f"A context cannot be called {value[6:46]!r}", "Give it another name.")
    found.options[name] = value


def _network(found: Frontend, value: str) -> None:
    mode = _NETWORKS.get(value)
    if mode is None:
        raise not_allowed("build.network", "this network in a build", "Leave it out.")
    if mode:
        found.options["force-network-mode"] = mode
