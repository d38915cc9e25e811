"""A server as admins have them: Docker from the distribution, two GPUs, nobody who uses it yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ds01.install import plan
from ds01.install.machine import Engine, Found, Machine, Package, Wishes
from ds01.install.manifest import Manifest, as_found
from ds01.install.paths import ENGINE, GUARD, UNITS
from ds01.install.units import PATH

OPTIONS = ("-H", "fd://", "--containerd=/run/containerd/containerd.sock")
PLAIN = Engine(socket="/run/docker.sock", version="20.10.24+dfsg1", data_root="/var/lib/docker", options=OPTIONS)
PACKAGE = Package(
    bin="/opt/ds01/bin", version="0.1.0", guard={f"{GUARD}/guard.py": "python", f"{GUARD}/runc": "#!/bin/sh"}
)
SERVER = Machine(
    root=True, systemd=True, package=PACKAGE, engine=PLAIN, now=datetime(2026, 11, 27, 16, 30, 12, tzinfo=UTC),
    cpus=64, memory_bytes=512 * 1024**3, units=frozenset({"docker.service", "docker.socket", "containerd.service"}),
    groups=frozenset({"docker"}), gpus=("NVIDIA A100-SXM4-80GB",) * 2, cards=2,
    first_facts=json.dumps({"outside": "refused", "admin_slice": "ds01-admin-ab.slice"}),
)  # fmt: skip
WISHES = Wishes(programs=("ds01", "image", "image-list"), completions={"bash": "complete"})
FOLDERS = ("/", "/etc", "/etc/systemd", "/etc/systemd/system", "/etc/profile.d", "/etc/tmpfiles.d", "/var", "/var/lib",
           "/usr", "/usr/local", "/usr/local/bin", "/etc/docker")  # fmt: skip


def server(**given: Any) -> Machine:
    """The server, with other facts."""
    return replace(SERVER, **given)


def fresh(files: Mapping[str, str] | None = None) -> dict[str, Found]:
    """What is on the disk before DS01 comes."""
    return {path: Found(folder=True, mode=0o755) for path in FOLDERS} | {
        path: Found(text=text) for path, text in (files or {}).items()
    }


def carried_out(made: plan.Plan, there: Mapping[str, Found]) -> dict[str, Found]:
    """The disk afterwards."""
    return dict(there) | {change.item.path: as_found(change.item) for change in made.changes}


def afterwards(machine: Machine) -> Machine:
    """The machine once the plan was carried out and all of it runs."""
    assert machine.engine is not None
    engine = replace(machine.engine, socket=ENGINE, default_runtime="ds01", path=PATH)
    everyone = frozenset({"docker", "ds01-admin"})
    return replace(machine, engine=engine, groups=everyone, users=frozenset({"ds01-gateway"}),
                   active=frozenset(UNITS), enabled=frozenset(UNITS))  # fmt: skip


def made(machine: Machine = SERVER, wishes: Wishes = WISHES, there: Mapping[str, Found] | None = None,
         known: Manifest | None = None) -> plan.Plan:  # fmt: skip
    """The plan."""
    return plan.make(machine, wishes, fresh() if there is None else there, known or Manifest())
