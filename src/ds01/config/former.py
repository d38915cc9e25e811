"""What the keys of older limits files mean in ours: the name comes from the registry, the unit from the old name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from ds01.config.rules import RULES
from ds01.domain import limit_keys, quantity
from ds01.domain.limit_keys import AGGREGATE_KEYS, KEYS, Key

Old = Mapping[str, object]


class UnneededError(ValueError):
    """The key says nothing in the new file; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Around:
    """What a value's meaning depends on: the other keys of its section, the defaults, and the server's MIG layout."""

    section: Old = field(default_factory=dict)
    defaults: Old = field(default_factory=dict)
    instances_per_gpu: str = ""


Reader = Callable[[str | None, Around], str | None]
"""From the old text to the new one. Raises UnneededError, or ValueError when it cannot be read."""


def _same(text: str | None, _: Around) -> str | None:
    return None if text in (None, "unlimited", "none") else text


def _hours(text: str | None, around: Around) -> str | None:
    same = _same(text, around)
    return None if same is None else quantity.show_duration(quantity.duration(f"{same}h"))


def _seconds(text: str | None, _: Around) -> str | None:
    return None if text is None else f"{text}s"


def _full_gpu(text: str | None, _: Around) -> str | None:
    if text not in ("true", "false"):
        raise ValueError(f"expected true or false, not {text!r}")
    return "allowed" if text == "true" else "only"


def _instances(text: str | None, around: Around) -> str | None:
    """A number of MIG instances, in GPU-equivalents when the file says how many make a GPU."""
    if text is None or not around.instances_per_gpu:
        return _same(text, around)
    try:
        return quantity.show_gpueq(Fraction(text) / Fraction(around.instances_per_gpu))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"expected a number, not {text!r}") from error


def _swap(text: str | None, around: Around) -> str | None:
    """The old value counted the memory in."""
    memory = around.section.get("memory") or around.defaults.get("memory")
    if not isinstance(memory, str) or text is None:
        raise UnneededError("it counts the memory in, and no memory is given with it")
    return quantity.show_size(max(0, quantity.size(text) - quantity.size(memory))).replace("0B", "0")


def _quota(text: str | None, _: Around) -> str | None:
    """``9600%`` of one core."""
    if text is None or not text.endswith("%"):
        raise ValueError(f"expected a percentage of one core like 9600%, not {text!r}")
    return f"{float(text[:-1]) / 100:g}"


def _share(text: str | None, _: Around) -> str | None:
    return None if text is None else f"{float(text) * 100:g}%"


_SPECIAL: dict[str, Reader] = {
    "allow_full_gpu": _full_gpu,
    "max_mig_instances": _instances,
    "memory_swap": _swap,
    "sigterm_grace_seconds": _seconds,
}

LIMITS: dict[str, tuple[Key, Reader]] = {
    former: (key, _SPECIAL.get(former, _hours if former.endswith("_h") else _same))
    for key in KEYS.values()
    for former in (*key.former, key.name)
    if "." not in former
}
"""Old names of limits; those that kept their name are among them."""

_TOGETHER = {name: replace(KEYS[name], nullable=False) for name in AGGREGATE_KEYS}

AGGREGATE: dict[str, tuple[Key, Reader]] = {
    "cpu_quota": (_TOGETHER["cpus"], _quota),
    "memory_max": (_TOGETHER["memory"], _same),
    "tasks_max": (_TOGETHER["pids"], _same),
    **{name: (key, _same) for name, key in _TOGETHER.items()},
}

POLICY: dict[str, tuple[Key, Reader]] = {
    "high_demand_threshold": (RULES["busy.above"], _share),
    "high_demand_idle_reduction": (RULES["busy.idle_times"], _same),
    "created_container_timeout": (RULES["never_started"], _same),
}

WHY_DROPPED = {
    "max_tasks": "set 'pids', or 'aggregate' for all containers together",
    "memory_high": "there is one mark for memory together: memory",
    "gpu_limit": "gpus.max is the limit over all containers",
    "default_mig_count": "every door has the same limits of GPUs",
    "mig_instances_per_gpu": "the driver says what an instance is worth",
    "enforcement": "limits are always enforced",
    "gpu_allocation": "the driver is asked",
    "access_control": "admins are the members of a group with 'admin: true'",
    "reason": "kept as a comment",
}


def translate(entry: tuple[Key, Reader], text: str | None, around: Around) -> str | None:
    """The new text of an old value, checked as our own file is. Raises UnneededError or ValueError."""
    key, read = entry
    new = read(text, around)
    if new is None:
        if not key.nullable:
            raise ValueError(f"{key.name} cannot be without a limit: {limit_keys.expected(key)}")
        return None
    value = limit_keys.read(key, new)
    exact = key.kind in (limit_keys.Kind.SIZE, limit_keys.Kind.DURATION, limit_keys.Kind.GPU_TIME)
    return limit_keys.show(key, value) if exact else new
