"""Devices: every way to ask for GPUs becomes one ask, which a lease answers; other devices are for ds01d to grant.

``--gpus``, CDI names, the ``nvidia`` runtime and compose's reservations all say the same thing to somebody. Which
GPU it is, is never the user's to choose; how much memory it must have is, as ``--gpus count=1,options=memory=20G``,
and which part of a GPU, as ``--gpus count=1,options=profile=2g.20gb``. Of other devices only the text is judged here:
whose they may be is a limit, and what is at a path only root can see.
"""

from __future__ import annotations

from ds01.domain import devices
from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import AskedDevice, Case
from ds01.domain.dockerpolicy.field import DROP, Dropped, Field, must_be_empty
from ds01.domain.dockerpolicy.strictjson import Json, is_zero
from ds01.domain.dockerpolicy.verdict import malformed, not_allowed
from ds01.domain.gpu_ask import ask
from ds01.domain.quantity import size

DRIVERS = frozenset({"", "nvidia", "nvidia.cdi", "nvidia.runtime-hook", "cdi"})
RUNTIMES = frozenset({"", "runc", "ds01"})
"""Runtimes that mean the server's own."""

MEMORY, PROFILE = "memory", "profile"
"""The options of a request that count: the least memory of each GPU, and the MIG profile of one, or ``full``. Others
are for drivers, and given to none.
"""

ALL = "all"
"""Asked for all GPUs: as many as a container of this user may have."""

RULE = "create.devices"
MOST_DEVICES = 16
"""Of one container, besides GPUs."""

_DEVICE = shape.names("PathOnHost", "PathInContainer", "CgroupPermissions")
_REQUEST = shape.names("Driver", "Count", "DeviceIDs", "Capabilities", "Options")


def _requests(case: Case, value: Json) -> Dropped:
    asked = [_request(case, index, entry) for index, entry in enumerate(shape.items("DeviceRequests", value))]
    if len(asked) > 1:
        raise not_allowed("create.gpus", "more than one request for GPUs", "Ask once, with --gpus N.")
    if asked:
        case.gpus = asked[0]
    return DROP


def _request(case: Case, index: int, entry: Json) -> str:
    where = f"DeviceRequests[{index}]"
    request = shape.struct(where, entry, _REQUEST)
    driver = shape.text("Driver", request.get("Driver"))
    ids = shape.texts("DeviceIDs", request.get("DeviceIDs"))
    capabilities = {
        word for group in shape.items("Capabilities", request.get("Capabilities")) for word in shape.texts(where, group)
    }
    if driver not in DRIVERS or not _is_gpu(driver, ids, capabilities):
        raise not_allowed("create.gpus", f"a device request of driver '{driver}'", "Ask for GPUs with --gpus N.")
    options = shape.text_map("Options", request.get("Options"))
    case.gpu_memory_bytes = _memory(options.get(MEMORY, "0"))
    asked = _by_id(ids) if ids else _counted(shape.integer("Count", request.get("Count")))
    return _profile(options[PROFILE], asked) if options.get(PROFILE) else asked


def _counted(count: int) -> str:
    return ALL if count < 0 else str(count or 1)


def _profile(text: str, asked: str) -> str:
    """A part of a GPU is asked for by its profile alone: there is one of it."""
    if asked != "1":
        raise malformed("create.gpus", f"{text} of more than one GPU", f"Ask for one: count=1,options=profile={text}")
    try:
        named = ask(text).profile is not None
    except ValueError:
        named = False
    if not named:
        raise malformed("create.gpus", f"'{text}' is no MIG profile", "Write it like options=profile=2g.20gb.")
    return text


def _memory(text: str) -> int:
    try:
        return size(text)
    except ValueError as error:
        raise malformed("create.gpus", f"the memory of a GPU: {error}", "Write it like options=memory=20G.") from error


def _is_gpu(driver: str, ids: list[str], capabilities: set[str]) -> bool:
    if driver == "cdi":
        return bool(ids) and all(name.startswith("nvidia.com/gpu=") for name in ids)
    return driver != "" or bool(capabilities & {"gpu", "nvidia"})


def _by_id(ids: list[str]) -> str:
    """Names of GPUs count as their number: which ones they are is not the user's to choose."""
    names = [name.removeprefix("nvidia.com/gpu=") for name in ids]
    return ALL if "all" in names else str(len(set(names)))


def _runtime(case: Case, value: Json) -> Dropped:
    name = shape.text("Runtime", value)
    if name == "nvidia":
        case.changed("create.runtime", "runtime nvidia counts as asking for one GPU", told=True)
        if case.gpus == "0":
            case.gpus = "1"
        return DROP
    if name not in RUNTIMES:
        raise not_allowed("create.runtime", f"the runtime '{name}'", "Leave it out.")
    return DROP


def _devices(case: Case, value: Json) -> Dropped:
    entries = [entry for entry in shape.items("Devices", value) if not (isinstance(entry, dict) and is_zero(entry))]
    if len(entries) > MOST_DEVICES:
        raise malformed(RULE, f"{len(entries)} devices are more than {MOST_DEVICES}")
    case.devices = [_device(f"Devices[{index}]", entry) for index, entry in enumerate(entries)]
    inside = [device.inside for device in case.devices]
    twice = next((path for path in inside if inside.count(path) > 1), "")
    if twice:
        raise malformed(RULE, f"two devices at {twice}", "Give each a path of its own.")
    return DROP


def _device(where: str, entry: Json) -> AskedDevice:
    device = shape.struct(where, entry, _DEVICE)
    host = shape.text(f"{where}.PathOnHost", device.get("PathOnHost"))
    inside = shape.text(f"{where}.PathInContainer", device.get("PathInContainer")) or host
    permissions = shape.text(f"{where}.CgroupPermissions", device.get("CgroupPermissions"))
    if host.startswith(("/dev/nvidia", "nvidia.com/")):
        raise not_allowed("create.devices.gpu", f"the device {host}", "Ask for GPUs with --gpus N.")
    _check_host(host)
    _check_inside(inside)
    return AskedDevice(host=host, inside=inside, permissions=_permissions(permissions))


def _check_host(path: str) -> None:
    if not path.startswith(devices.DEV):
        raise not_allowed(RULE, f"the device '{path}'", f"Devices are files below {devices.DEV}.")
    if why := devices.malformed(path):
        raise malformed(RULE, f"the device '{path}' {why}")
    if why := devices.never(path):
        raise not_allowed(RULE, f"the device {path}", f"It is given to nobody: {why}.")


def _check_inside(path: str) -> None:
    if why := devices.malformed(path):
        raise malformed(RULE, f"the place '{path}' of a device in the container {why}")
    if devices.taken(path):
        raise not_allowed(RULE, f"a device at {path}, where every container has its own,", "Choose another place.")


def _permissions(text: str) -> str:
    """Making nodes (``m``) is passed on to nobody: a node of a device that was not given would open nothing."""
    asked = set(text or "rw")
    if not asked <= set("rwm") or len(asked) < len(text) or asked == {"m"}:
        raise malformed(RULE, f"'{text}' is no access to a device", "Write r, w or rw.")
    return "".join(letter for letter in "rw" if letter in asked)


DEVICES: tuple[Field, ...] = (
    Field(name="Devices", rule=RULE, judge=_devices,
          says="character devices that the limit `devices` allows, to read and write; never disks, the memory or the"
               f" consoles of the server; {MOST_DEVICES} at most; GPUs come by `--gpus`"),
    must_be_empty("DeviceCgroupRules", RULE, "a rule for devices"),
    Field(name="DeviceRequests", rule="create.gpus", judge=_requests,
          says="any way to ask for GPUs becomes a number, with the option `memory` the least of each, or with `profile`"
               " a part of one; a lease says which ones"),
    Field(name="Runtime", rule="create.runtime", judge=_runtime,
          says="empty; `nvidia` counts as asking for one GPU; others are refused"),
)  # fmt: skip
"""The fields of ``HostConfig`` that give devices."""
