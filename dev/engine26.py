"""Docker Engine 26 of Debian 13, with buildx and compose v2, on a machine that has an older one.

Its programs and their libraries are unpacked below the cache once and told where their libraries are, so that they run
where any other engine would: same processes, cgroups, networks and mounts as this machine's, no container around them.

    python -m dev.engine26        makes it, prints where the programs are
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dev import base, engine

SUITE = "trixie"
PACKAGES = ("docker.io", "docker-cli", "docker-buildx", "docker-compose", "iptables", "ca-certificates")
PROGRAMS = (
    "usr/sbin/dockerd", "usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/sbin/runc", "usr/bin/docker",
    "usr/sbin/docker-proxy", "usr/bin/docker-proxy", "usr/bin/docker-init",
)  # fmt: skip
_LOADER = "lib64/ld-linux-x86-64.so.2"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_PLUGINS = "usr/libexec/docker/cli-plugins"


def available() -> bool:
    """Whether this process could make and start it."""
    return engine.available() and all(shutil.which(name) for name in ("mmdebstrap", "patchelf"))


def start(root: Path, *, group: str = "root", log: Path | None = None, options: Sequence[str] = ()) -> engine.OwnEngine:
    """Start it under ``root``, like ``dev.engine.start``; stopped by ``dev.engine.stop``."""
    return engine.start(root, group=group, log=log, programs=programs(), options=options)


def programs() -> Path:
    """The folder of its programs, the ``docker`` command among them."""
    return _tree() / "ds01"


def plugins(config: Path) -> None:
    """Give the docker command of whoever has this configuration folder (``~/.docker``) buildx and compose v2."""
    folder = config / "cli-plugins"
    folder.mkdir(parents=True, exist_ok=True)
    for plugin in (_tree() / _PLUGINS).iterdir():
        link = folder / plugin.name
        if not link.is_symlink():
            link.symlink_to(plugin)


def _tree() -> Path:
    """The unpacked system, made now if this recipe was never made here."""
    folder = base.cache()
    tree = folder / f"engine26-{hashlib.sha256(repr((_command('tree'), PROGRAMS)).encode()).hexdigest()[:16]}"
    with base.alone(folder / "engine26.lock"):
        if not tree.exists():
            part = tree.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            base.bootstrap(_command(str(part)), part, "the newer engine")
            part.chmod(0o755)
            _prepare(part, tree)
            part.rename(tree)
    return tree


def _command(target: str) -> list[str]:
    source = f"deb [signed-by={base.KEYRING}] {base.MIRROR} {SUITE} main"
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in base.LEFT_OUT]
    return ["mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}",
            "--dpkgopt=force-unsafe-io", *options, "--format=directory", SUITE, target, source]  # fmt: skip


def _prepare(part: Path, tree: Path) -> None:
    """Copies of the programs that use the libraries of ``tree``, where ``part`` will be."""
    target = part / "ds01"
    target.mkdir()
    for name in PROGRAMS:
        program = part / name
        if not program.is_file() or program.is_symlink():
            continue
        copy = target / program.name
        shutil.copy2(program, copy)
        command = ["patchelf", "--set-interpreter", str(tree / _LOADER), "--force-rpath", "--set-rpath",
                   str(tree / _LIBRARIES), str(copy)]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 and "statically linked" not in done.stderr:
            raise base.BaseError(f"{program.name} cannot be told where its libraries are: {done.stderr.strip()}")


def main() -> int:
    """Make it, and say where it is."""
    if os.geteuid() != 0 or not available():
        print("this needs root, dockerd, mmdebstrap and patchelf", file=sys.stderr)
        return 1
    try:
        print(programs())
    except base.BaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
