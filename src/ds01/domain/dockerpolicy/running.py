"""How a container is run and what it writes beside its files: restarts, logs, the like."""

from __future__ import annotations

from ds01.domain.dockerpolicy import logs, shape
from ds01.domain.dockerpolicy.case import Case, Kept
from ds01.domain.dockerpolicy.field import DROP, Dropped, Field, kept
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.verdict import EngineWordsError, malformed, not_allowed

RETRIES = 5
NO_RESTART: Json = {"Name": "no", "MaximumRetryCount": 0}


def _restart(case: Case, value: Json) -> Json:
    read = shape.struct("RestartPolicy", value, shape.names("Name", "MaximumRetryCount"))
    name = shape.text("RestartPolicy.Name", read.get("Name"))
    retries = shape.integer("RestartPolicy.MaximumRetryCount", read.get("MaximumRetryCount"))
    if name in ("no", "always", "unless-stopped") and retries:
        what = f"maximum retry count cannot be used with restart policy '{name}'"
        raise EngineWordsError("create.restart", what, status=400)
    if name in ("", "no"):
        return NO_RESTART
    if name == "on-failure":
        allowed = min(retries, RETRIES) if retries > 0 else RETRIES
        if allowed != retries:
            case.changed("create.restart", f"restarted at most {RETRIES} times after failures", told=True)
        return {"Name": name, "MaximumRetryCount": allowed}
    if name in ("always", "unless-stopped"):
        if name == "always":
            case.changed("create.restart", "restart policy always became unless-stopped", told=True)
        return {"Name": "unless-stopped", "MaximumRetryCount": 0}
    raise malformed("create.restart", f"{name!r} is no restart policy")


def never_by_itself(case: Case, policy: Kept) -> Kept:
    """The policy of a container with devices: whether it may have them is looked at when somebody starts it."""
    if policy != NO_RESTART:
        case.changed("create.restart", "a container with devices is not started again by the engine", told=True)
    return NO_RESTART


def _console(case: Case, value: Json) -> Json | Dropped:
    del case
    found = [shape.integer("ConsoleSize", item) for item in shape.items("ConsoleSize", value)]
    if not found:
        return DROP
    if len(found) != 2 or not all(0 <= number <= 10_000 for number in found):
        raise malformed("create.console", "ConsoleSize must be two small numbers")
    return list(found)


def _storage(case: Case, value: Json) -> Dropped:
    for name in shape.text_map("StorageOpt", value):
        case.changed("create.storage", f"storage option {name} left out: your disk limits hold", told=True)
    return DROP


def _volume_driver(case: Case, value: Json) -> Dropped:
    del case
    if shape.text("VolumeDriver", value) not in ("", "local"):
        raise not_allowed("create.volumes.driver", "a volume driver", "Leave it out.")
    return DROP


RUNNING: tuple[Field, ...] = (
    Field(name="LogConfig", rule="create.logs", judge=logs.judge,
          says="json-file, 30 MB in all files at most; remote drivers are refused"),
    Field(name="RestartPolicy", rule="create.restart", judge=_restart,
          says=f"no, on-failure (at most {RETRIES} times), unless-stopped; always no with GPUs and other devices"),
    kept("AutoRemove", "create.running", "kept", shape.flag),
    kept("Init", "create.running", "kept", shape.flag),
    kept("ReadonlyRootfs", "create.running", "kept", shape.flag),
    Field(name="ConsoleSize", rule="create.console", judge=_console, says="kept"),
    Field(name="StorageOpt", rule="create.storage", judge=_storage, says="left out: the disk limits hold"),
    Field(name="VolumeDriver", rule="create.volumes.driver", judge=_volume_driver, says="empty or `local`"),
)  # fmt: skip
"""The fields of ``HostConfig`` about running."""
