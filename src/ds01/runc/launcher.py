"""The guard's folder: the program the engine starts, the facts and the grants.

    <guard>/runc           the program; called ``runc``, because whatever looks for runc on its PATH must find it
    <guard>/guard.py       what it starts for calls that start a process
    <guard>/server.json    the facts of the server; ds01d keeps them true
    <guard>/grants/        one file a container
    <guard>/terminals/     one file a launch from a terminal, until its container starts
    <guard>/builds/        one file a user: what a step of her BuildKit builds may use
    <guard>/refused.log    what was refused, for ds01d to tell

The engine is started with this folder first on its PATH and with the program as its default runtime. The first closes
``--runtime runc`` and BuildKit, which look for ``runc`` themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shlex
import shutil
import sys
from pathlib import Path

import ds01
from ds01.runc.call import CHECKED
from ds01.runc.step import PERMITS
from ds01.runc.terminal import FOLDER as TERMINALS

RUNTIME = "ds01"
"""What the engine calls the runtime."""
MARK = "ds01-runc"
"""Near the program's beginning, to be known by."""
HOOKS = ("nvidia-container-runtime-hook", "nvidia-container-toolkit", "nvidia-ctk", "nvidia-cdi-hook")
"""NVIDIA's programs that put GPUs into containers; the only ones that may run on the host for a container."""
DRIVER = ("/usr/", "/lib/", "/lib64/", "/etc/vulkan/", "/etc/nvidia/", "/run/nvidia-persistenced/",
          "/run/nvidia-fabricmanager/", "/run/nvidia-ctk-hook", "/dev/nvidia")  # fmt: skip
"""Where the files are that NVIDIA's specifications mount beside a GPU, read-only."""
INIT = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/libexec/docker", "/usr/local/libexec/docker",
        "/usr/lib/docker", "/bin", "/sbin")  # fmt: skip
"""Where an engine may have ``docker-init``."""


def write(guard: Path, data_root: Path, runc: str, *, outside: str = "refused") -> Path:
    """Write program and facts of an engine with this data root; returns the program. ``runc`` is the real one.

    ``outside`` says what becomes of containers in nobody's slice, ``passed`` or ``refused``.
    """
    guard.mkdir(parents=True, exist_ok=True)
    for closed in ("grants", TERMINALS, PERMITS):
        (guard / closed).mkdir(mode=0o700, exist_ok=True)
    for path, text in texts(guard, runc).items():
        _replace(path, text, 0o755 if path.name == "runc" else 0o644)
    if not (guard / "server.json").exists():
        write_facts(guard, first_facts(data_root, outside=outside))
    return guard / "runc"


def texts(guard: Path, runc: str) -> dict[Path, str]:
    """The program, and what it starts, which has to be there first."""
    return {guard / "guard.py": _python(guard, runc), guard / "runc": _shell(guard, runc)}


def real_runc(guard: Path, path: str) -> str:
    """The runc on this PATH when the guard is not."""
    folders = [*path.split(os.pathsep), "/usr/local/sbin", "/usr/sbin", "/usr/bin"]
    found = shutil.which("runc", path=os.pathsep.join(part for part in folders if part != str(guard)))
    if found is None:
        raise FileNotFoundError("runc is not installed, so nothing can start a container")
    return found


def write_facts(guard: Path, facts: dict[str, object]) -> None:
    """Replace ``server.json``."""
    _replace(guard / "server.json", json.dumps(facts, indent=1), 0o600)


def first_facts(data_root: Path, *, outside: str) -> dict[str, object]:
    """What is known before ds01d runs: no user, no grant."""
    return {
        "data_root": str(data_root),
        "init": [f"{folder}/docker-init" for folder in INIT],
        "hooks": [f"/usr/bin/{name}" for name in HOOKS],
        "driver": list(DRIVER),
        "folders": "/run/ds01/binds",
        "outside": outside,
        "admin_slice": f"ds01-admin-{secrets.token_hex(8)}.slice",
    }


def _shell(guard: Path, runc: str) -> str:
    """The program. Most calls of runc start nothing and need no Python; a word too many only costs its start."""
    python = shlex.quote(os.path.realpath(sys.executable))
    return (
        f"#!/bin/sh\n# {MARK}: every container and every step of a build passes through DS01.\n"
        "for word; do\n"
        f"  case $word in {'|'.join(sorted(CHECKED))})\n"
        f'    exec {python} -IS {shlex.quote(str(guard / "guard.py"))} "$@" ;;\n'
        "  esac\n"
        "done\n"
        f'exec {shlex.quote(runc)} "$@"\n'
    )


def _python(guard: Path, runc: str) -> str:
    """What it starts: Python alone (``-IS``: no site, no environment), with the folder of DS01 last on its path."""
    source = str(Path(ds01.__file__).parents[1])
    return f"import sys\nsys.path.append({source!r})\nfrom ds01.runc.main import main\nmain({str(guard)!r}, {runc!r})\n"


def _replace(path: Path, text: str, mode: int) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text)
    part.chmod(mode)
    part.replace(path)


def main() -> int:
    """``ds01-guard FOLDER``: make the guard and say how the engine is started with it."""
    parser = argparse.ArgumentParser(prog="ds01-guard", description="Make the guard of a Docker engine.")
    parser.add_argument("folder", type=Path, help="where it is kept, such as /var/lib/ds01/guard")
    parser.add_argument("--data-root", type=Path, default=Path("/var/lib/docker"), help="the engine's data root")
    parser.add_argument("--runc", help="the real runc (default: the one on the PATH)")
    parser.add_argument("--outside", choices=("refused", "passed"), default="refused",
                        help="what becomes of containers that root starts on the engine's own socket")  # fmt: skip
    given = parser.parse_args()
    folder = given.folder.absolute()
    runc = given.runc or real_runc(folder, os.environ.get("PATH", os.defpath))
    program = write(folder, given.data_root.absolute(), runc, outside=given.outside)
    facts = json.loads((folder / "server.json").read_text())
    print(f"""The guard is {program}. Start the engine with it:

  /etc/docker/daemon.json:  "default-runtime": "{RUNTIME}", "runtimes": {{"{RUNTIME}": {{"path": "{program}"}}}}
  drop-ins of docker.service and containerd.service:  [Service]
                            Environment=PATH={folder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

Root's own containers are started with --cgroup-parent {facts["admin_slice"]}""")
    return 0
