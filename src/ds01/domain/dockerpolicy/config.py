"""The fields of a container's own configuration: what runs in it, not what it may reach.

Most pass as they are. Those that do not: the image (passed by id, so that moving a tag between check and use has no
effect), the environment and the labels (both can claim what only DS01 grants).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from ds01.domain import signals
from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Case
from ds01.domain.dockerpolicy.field import DROP, Dropped, Field, dropped, kept
from ds01.domain.dockerpolicy.labels import labels
from ds01.domain.dockerpolicy.mounts import target
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.dockerpolicy.waiting import LABEL, VARIABLE
from ds01.domain.dockerpolicy.weight import COMMAND
from ds01.domain.gpu import asks_for_devices
from ds01.domain.health import OFTEN_NS, OFTEN_SECONDS
from ds01.domain.quantity import show_size

STOP_SECONDS = 300
_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?")
_SIGNAL = re.compile(signals.PATTERN)
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")
_HEALTH = shape.names("Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries")


def environment(case: Case, value: Json, field: str = "Env") -> list[str]:
    """The variables, without those that ask for GPUs."""
    found = []
    for entry in shape.texts(field, value, multiline=True):
        name = entry.split("=", 1)[0]
        if asks_for_devices(name):
            case.changed("create.env", f"{name} left out: GPUs come from a lease")
        else:
            found.append(entry)
    return found


def signal(field: str, value: Json) -> str:
    """A signal's name or number."""
    name = shape.text(field, value)
    if name and not _SIGNAL.fullmatch(name):
        raise malformed("create.signal", f"{name!r} is no signal")
    return name


def _environment(case: Case, value: Json) -> Dropped:
    case.environment = environment(case, value)
    return DROP


def _labels(case: Case, value: Json) -> Dropped:
    read = shape.text_map("Labels", value, multiline=True)
    case.wait_label = {LABEL: read[LABEL]} if LABEL in read else {}
    case.labels = labels(case, {key: item for key, item in read.items() if key != LABEL})
    return DROP


def _image(case: Case, value: Json) -> Dropped:
    case.image = shape.text("Image", value)
    return DROP


def _volumes(case: Case, value: Json) -> Dropped:
    case.anonymous += [target(key, "create.volumes") for key in shape.mapping("Volumes", value)]
    return DROP


def _exposed(case: Case, value: Json) -> Json:
    case.exposed = [port(key) for key in shape.mapping("ExposedPorts", value)]
    return {key: {} for key in case.exposed}


def port(text: str) -> str:
    """A port as the engine writes it, ``8080/tcp``."""
    match = _PORT.fullmatch(text)
    if match is None or not all(0 < int(number) < 65536 for number in match.groups()[:2] if number):
        raise malformed("create.ports", f"{text!r} is no port")
    return text


def _hostname(field: str, value: Json) -> Json:
    name = shape.text(field, value)
    if name and not _HOSTNAME.fullmatch(name):
        raise malformed("create.hostname", f"{name!r} cannot be a host name")
    return name


def _stop_timeout(case: Case, value: Json) -> Json | Dropped:
    if value is None:
        return DROP
    seconds = shape.integer("StopTimeout", value)
    if not 0 <= seconds <= STOP_SECONDS:
        case.changed("create.stop-timeout", f"stop timeout set to {STOP_SECONDS} s", told=True)
        return STOP_SECONDS
    return seconds


def _healthcheck(case: Case, value: Json) -> Json | Dropped:
    if value is None:
        return DROP
    read = shape.struct("Healthcheck", value, _HEALTH)
    found: dict[str, Json] = {"Test": list(shape.texts("Healthcheck.Test", read.get("Test"), multiline=True))}
    for name in ("Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"):
        number = shape.integer(f"Healthcheck.{name}", read.get(name))
        if name in ("Interval", "StartInterval") and 0 < number < OFTEN_NS:
            case.changed("create.healthcheck", f"health check interval set to {OFTEN_SECONDS} s", told=True)
            number = OFTEN_NS
        if number:
            found[name] = number
    return found


def _texts(field: str, value: Json) -> Json:
    return cast(Json, shape.texts(field, value, multiline=True))


def _words(field: str, value: Json) -> Json:
    return cast(Json, shape.words(field, value))


def _passed(names: Sequence[str], reader: object, says: str) -> tuple[Field, ...]:
    return tuple(kept(name, "create.config", says, cast(shape.Reader, reader)) for name in names)


CONFIG: tuple[Field, ...] = (
    Field(name="Image", rule="create.image", judge=_image,
          says="must be yours or shared; passed to the engine by id, shown by the name you gave"),
    Field(name="Env", rule="create.env", judge=_environment,
          says=f"kept, without the variables that ask for GPUs: a lease sets those. `{VARIABLE}=10m` waits so long for "
               "them in the queue"),
    Field(name="Labels", rule="create.labels", judge=_labels,
          says=f"kept, without `ds01.*`; `{LABEL}` is how long to wait for GPUs; every label "
               "DS01 trusts is set by DS01, over the image's too"),
    Field(name="Volumes", rule="create.volumes", judge=_volumes,
          says="anonymous volumes pass; the target is checked, and where the image wants some"),
    kept("Cmd", "create.command", f"kept, up to {show_size(COMMAND)} with the entrypoint, the image's counted where "
                                  "nothing is said", _words),
    kept("Entrypoint", "create.command", "kept, counted with the command", _words),
    *_passed(("Shell",), _words, "kept"),
    *_passed(("OnBuild",), _texts, "kept"),
    *_passed(("Tty", "OpenStdin", "StdinOnce", "AttachStdin", "AttachStdout", "AttachStderr", "ArgsEscaped",
              "NetworkDisabled"), shape.flag, "kept"),
    *_passed(("WorkingDir",), shape.text, "kept"),
    *_passed(("User",), shape.text, "kept; yours when everything in the container runs as you"),
    kept("Hostname", "create.hostname", "kept, in the characters of host names", _hostname),
    kept("Domainname", "create.hostname", "kept, in the characters of host names", _hostname),
    kept("StopSignal", "create.signal", "kept when it is a signal", signal),
    Field(name="StopTimeout", rule="create.stop-timeout", judge=_stop_timeout, says="0 to 300 seconds"),
    Field(name="Healthcheck", rule="create.healthcheck", judge=_healthcheck, says="kept, at most every 5 seconds"),
    Field(name="ExposedPorts", rule="create.ports", judge=_exposed, says="kept"),
    dropped("MacAddress", "create.mac", "the engine chooses hardware addresses"),
)  # fmt: skip
"""Every field of ``Config`` there is a rule for."""
