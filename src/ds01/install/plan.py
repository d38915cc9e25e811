"""What installing would change, as a value: from the machine, what is at the paths, and what was written before.

Pure, so that ``--dry-run`` shows exactly what would be done, and a second run finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from ds01.domain.engine_versions import numbers
from ds01.install import blocked, engine_file, units, wanted, watching
from ds01.install.machine import Engine, Found, Machine, Wishes
from ds01.install.manifest import Manifest, as_found, mark, noted
from ds01.install.paths import DAEMON_JSON, ENGINE, LIMITS, UNITS
from ds01.install.wanted import Account, Item, Part
from ds01.runc.launcher import RUNTIME

VALIDATES = (23,)
"""Engines from this version on have ``--validate``."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One path that is written. ``edited``: the admin changed what DS01 wrote there; it is kept beside."""

    item: Item
    there: Found | None
    edited: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that would be done.

    ``starts`` are units of DS01's; ``stopped`` are containers that the engine's restart ends. ``left`` are names that
    somebody else has. ``manifest`` is what will be known of all this.
    """

    accounts: tuple[Account, ...]
    changes: tuple[Change, ...]
    restart_containerd: bool
    restart_engine: bool
    starts: tuple[str, ...]
    stopped: tuple[str, ...]
    left: tuple[str, ...]
    notes: tuple[str, ...]
    manifest: Manifest
    watching: tuple[str, ...] = ()
    """Until when the gateway only watches, by the admin's own limits: said also when there is nothing to do."""
    asks_engine: bool = False
    """Whether the engine can say beforehand if it would start with its new file."""

    @property
    def nothing(self) -> bool:
        """Whether all is as it should be."""
        return not (self.accounts or self.changes or self.restart_engine or self.restart_containerd or self.starts)


def make(machine: Machine, wishes: Wishes, there: Mapping[str, Found], known: Manifest) -> Plan:
    """The plan. ``there`` says what is at the paths DS01 uses. Raises Ds01Error for what is in the way."""
    engine = blocked.check(machine)
    blocked.days(wishes)
    daemon_json = engine_file.text_of(there.get(DAEMON_JSON), "ds01 install")
    items = tuple(wanted.items(machine, wishes, daemon_json))
    left = tuple(item.path for item in items if _somebody_elses(item, there, known))
    mine = [item for item in items if item.path not in left]
    changes = tuple(_changes([*_folders(mine, there), *mine], there, known))
    accounts = tuple(one for one in wanted.ACCOUNTS if one.name not in (machine.users if one.user else machine.groups))
    touched = {change.item.part for change in changes} | {Part(unit) for unit in known.pending}
    restart = Part.ENGINE in touched or not _in_place(engine)
    return Plan(
        accounts=accounts,
        changes=changes,
        restart_containerd=Part.CONTAINERD in touched,
        restart_engine=restart,
        starts=_starts(machine, touched),
        stopped=() if engine.live_restore or not restart else tuple(one.name for one in engine.containers),
        left=left,
        notes=tuple(_notes(machine, engine, wishes, there)),
        watching=tuple(watching.told(machine, wishes.observe_days, there[LIMITS].text)) if LIMITS in there else (),
        manifest=_manifest(known, changes, accounts, touched),
        asks_engine=restart and numbers(engine.version) >= VALIDATES,
    )


def paths(machine: Machine, wishes: Wishes) -> tuple[str, ...]:
    """Every path that a plan may be about, with the folders they are in. Raises Ds01Error for what is in the way."""
    blocked.check(machine)
    found = [item.path for item in wanted.items(machine, wishes, None)]
    return tuple(dict.fromkeys((*(folder for path in found for folder in _above(path)), *found)))


def _above(path: str) -> tuple[str, ...]:
    return tuple(str(folder) for folder in reversed(PurePosixPath(path).parents))


def _folders(items: list[Item], there: Mapping[str, Found]) -> Iterator[Item]:
    """Folders that are missing on the way to what is written."""
    own = {item.path for item in items}
    missing = dict.fromkeys(folder for item in items for folder in _above(item.path) if folder not in there)
    for folder in missing:
        if folder not in own:
            yield Item(path=folder, why="for what is in it", folder=True, mode=0o755)


def _somebody_elses(item: Item, there: Mapping[str, Found], known: Manifest) -> bool:
    found = there.get(item.path)
    return item.spare and found is not None and found.link != item.link and item.path not in known.entries


def _changes(items: list[Item], there: Mapping[str, Found], known: Manifest) -> Iterator[Change]:
    for item in items:
        found = there.get(item.path)
        if found is None:
            yield Change(item=item, there=None)
        elif not (item.once or item.folder or (mark(found) == mark(as_found(item)) and _mode_fits(item, found))):
            entry = known.entries.get(item.path)
            edited = entry is not None and not item.merged and not item.stays and entry.mark != mark(found)
            yield Change(
                item=replace(item, mode=found.mode & item.mode) if item.merged else item, there=found, edited=edited
            )


def _mode_fits(item: Item, found: Found) -> bool:
    return bool(item.link) or item.merged or item.mode == found.mode


def _in_place(engine: Engine) -> bool:
    """Whether the engine that runs is the one the files speak of."""
    return engine.socket == ENGINE and engine.default_runtime == RUNTIME and engine.path == units.PATH


def _starts(machine: Machine, touched: set[Part]) -> tuple[str, ...]:
    return tuple(
        unit for unit in UNITS if unit in touched or unit not in machine.active or unit not in machine.enabled
    )  # fmt: skip


def _manifest(
    known: Manifest, changes: tuple[Change, ...], accounts: tuple[Account, ...], touched: set[Part]
) -> Manifest:
    """What is known while it is done: ``finished`` is what is known then."""
    for change in changes:
        known = noted(known, change.item, change.there)
    names = tuple(dict.fromkeys((*known.accounts, *(one.name for one in accounts))))
    return replace(known, accounts=names, pending=tuple(sorted(touched - {Part.NOTHING})))


def _notes(machine: Machine, engine: Engine, wishes: Wishes, there: Mapping[str, Found]) -> Iterator[str]:
    """What an admin would otherwise find out on Saturday."""
    days = 0 if LIMITS in there else wanted.observe_days(machine, wishes)
    if days:
        yield (
            f"For {days} days the gateway refuses nobody anything and writes down what it would refuse: people use"
            " Docker here already. --observe 0 puts it in force at once."
        )
    askers = [one.name for one in engine.containers if one.asks_engine]
    if askers and engine.socket != ENGINE:
        yield (
            f"{_listed(askers)}: the engine's socket is mounted there, and is the gateway's from now on, which refuses"
            f" root. Make them anew with {ENGINE} mounted."
        )
    if engine.socket != ENGINE:
        yield (
            f"Root's own docker is refused by the gateway, because root in a container could be meant. It uses"
            f" docker -H unix://{ENGINE}; in root's login shells DOCKER_HOST says so."
        )
    if not machine.gpus:
        yield (
            "The NVIDIA driver does not answer: no GPU is leased until it does."
            if machine.cards
            else "There is no NVIDIA GPU: simulated ones are leased, on which nothing computes."
        )


def _listed(names: list[str]) -> str:
    return ", ".join(sorted(names))
