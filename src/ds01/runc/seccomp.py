"""The system call filter of a container: there is one, and it is never wider than the engine's own."""

from __future__ import annotations

from ds01.runc.refusal import RefusedError
from ds01.runc.syscalls import ALLOWED

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any

_REFUSING = {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"}
_NAMESPACES = 0x7E020000
"""Every flag of ``clone`` that makes a namespace."""
_CONDITION = {"index", "value", "valueTwo", "op"}


def narrowed(profile: Any) -> dict[str, Any]:
    """The profile without what no container of DS01 may call. Raises RefusedError when there is no profile."""
    if not isinstance(profile, dict) or profile.get("defaultAction") not in _REFUSING:
        raise RefusedError("a run without a system call filter")
    if profile.get("listenerPath") or profile.get("listenerMetadata"):
        raise RefusedError("another program that decides on its system calls")
    return {**profile, "syscalls": [rule for each in profile.get("syscalls") or () for rule in _rule(each)]}


def _rule(rule: dict[str, Any]) -> list[dict[str, Any]]:
    """What stays of one rule of the engine's."""
    if rule.get("action") in _REFUSING:
        return [rule]
    if rule.get("action") != "SCMP_ACT_ALLOW":
        return []
    names = [name for name in rule.get("names") or () if name in ALLOWED]
    if "clone" in names and not _makes_no_namespace(rule.get("args")):
        names.remove("clone")
    return [{**rule, "names": names}] if names else []


def _makes_no_namespace(conditions: Any) -> bool:
    """Whether a rule for ``clone`` requires that no flag for a namespace is set, in its first or second argument.

    Only a single condition counts: runc reads several on one argument as alternatives.
    """
    if not conditions or len(conditions) != 1:
        return False
    each = conditions[0]
    return (
        set(each) <= _CONDITION and each.get("op") == "SCMP_CMP_MASKED_EQ" and each.get("index") in (0, 1)
        and each.get("value", 0) & _NAMESPACES == _NAMESPACES and not each.get("valueTwo")
    )  # fmt: skip
