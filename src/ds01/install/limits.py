"""The first limits file: what this machine has, divided so that nobody takes it all, with the reasons beside.

It is written once; from then on it is the admin's.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from ds01.install.machine import Machine
from ds01.install.paths import ADMINS, LIMITS

_MIB = 1024**2
_PART = 4
"""A container gets this part of the machine's memory: four people fit at once."""
_SIMULATED = 4


def observe_until(machine: Machine, days: int) -> datetime:
    """When watching ends, on a whole minute."""
    return (machine.now + timedelta(days=days)).replace(second=0, microsecond=0)


def first(machine: Machine, observe_days: int) -> str:
    """The file. With ``observe_days`` the gateway only watches at first."""
    memory = max(512, machine.memory_bytes // _MIB // _PART)
    gpus = max(1, min(2, (len(machine.gpus) or machine.cards or _SIMULATED) // 2))
    return f"""\
# The limits of this server, as ds01 install proposed them for {_cards(machine)},
# {machine.cpus} CPUs and {_size(machine.memory_bytes // _MIB)} of memory. ds01d reads the file again when it changes;
# with a mistake in it the last good one stays in force, over restarts too, and ds01 doctor names the line.
#
#   sudoedit {LIMITS}
#   ds01 limits --user LOGIN        what holds for somebody, and from which line
#
# All keys are in docs/reference/limits.md. What is not said here has the value that is there.

defaults:
  gpus: {{max: {gpus}, per_container: {gpus}}}  # at once over all containers, and in one
  containers: 3
  cpus: {max(1, min(16, machine.cpus // 2))}                # in one container
  memory: {_size(memory)}
  shm: {_size(max(64, memory // 4))}              # /dev/shm, for data loaders; counts as memory
  runtime: 24h           # of a container with a GPU
  idle: 30m              # a GPU that does nothing goes to somebody else, after a warning

# A user is in the first group that names her; else in the first that has one of her Unix groups; else in "*".
groups:
  admin:                 # first: whoever is in it and in another group is an admin all the same
    unix_groups: [{ADMINS}]
    admin: true          # sees and stops everything
    gpus: {{max: null, per_container: null}}
    containers: 10
    bookings: {{who: others, per_week: null, ahead: null, notice: 0s}}  # classes, too
#  researcher:
#    unix_groups: [phd, staff]
#    gpus: {{max: 4, per_container: 4}}
#    runtime: 48h
  student:
    members: ["*"]

# By how a container came to be: a job ends by itself, an editor may wait a night for its user.
doors:
  job: {{idle: null}}
  devcontainer: {{idle: null, runtime: 7d}}

# All containers of one user together.
aggregate:
  student: {{cpus: {max(1, min(24, machine.cpus * 3 // 4))}, memory: {_size(memory * 2)}}}

gpus:
  source: auto           # the NVIDIA GPUs of this server
{_pretended(machine)}
images:
  registries: [docker.io]  # that users may pull from: [docker.io, nvcr.io, ghcr.io]

docker:
  networks: 198.18.0.0/15  # users' networks come from here; nothing else may use it
  outside: told          # containers that root makes beside DS01 run, and are told of
{_watching(machine, observe_days)}"""


def _cards(machine: Machine) -> str:
    found = Counter(machine.gpus)
    if found:
        return ", ".join(f"{count} {model}" for model, count in sorted(found.items()))
    return f"{machine.cards} NVIDIA cards without a driver" if machine.cards else "no NVIDIA GPU"


def _size(mib: int) -> str:
    return f"{mib // 1024}G" if mib >= 1024 else f"{mib}M"


def _pretended(machine: Machine) -> str:
    if machine.gpus or machine.cards:
        return ""
    cards = ", ".join(["a100-40gb"] * _SIMULATED)
    return f"  # There are none: these are pretended, and said so.\n  simulated: [{cards}]\n"


def _watching(machine: Machine, days: int) -> str:
    if not days:
        return ""
    return f"""\
  # UNSAFE: until then the gateway refuses nobody anything, and writes down what it would refuse (ds01 admin door
  # report). DS01 is in force as soon as this line is gone.
  observe_until: {observe_until(machine, days):%Y-%m-%dT%H:%MZ}
"""
