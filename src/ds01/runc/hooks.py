"""What the programs are told that run on the host for a container: NVIDIA's, and the engine's own.

To runc a hook without variables of its own is one that inherits those of the process which starts it, and for
``createContainer`` and ``startContainer`` that is the container's own first process: as root on the host's libraries,
in a folder full of the image's files (CVE-2025-23266). So none comes without. A list that is not empty is used as it
is (``os/exec``), and none of these programs needs anything of a container's: the engine's finds its socket by its
arguments.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing is slow to import, and this runs at every start of a container
if TYPE_CHECKING:
    from typing import Any

    Hooks = dict[str, Any]

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What a hook is told that nobody tells anything."""

_LOADING = ("LD_", "GLIBC_TUNABLES=", "GCONV_PATH=", "LOCPATH=", "NLSPATH=", "BASH_ENV=", "ENV=")
"""How variables begin that make a program load what they name."""


def told(hooks: Hooks) -> Hooks:
    """The hooks of a configuration, by their kinds, each with variables that are no container's."""
    return {kind: [{**hook, "env": _variables(hook.get("env") or [])} for hook in each or ()]
            for kind, each in hooks.items()}  # fmt: skip


def _variables(own: list[str]) -> list[str]:
    return [variable for variable in own if not variable.startswith(_LOADING)] or [PATH]
