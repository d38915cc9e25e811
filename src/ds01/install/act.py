"""Doing what the plan says: first it is written down how to undo it, then each file whole, then the programs.

Whatever ends it early the first time is put back at once: a server whose engine does not come up again on a Friday
evening is worse than one without DS01. A later run that fails leaves what is there: it was in force before.
"""

from __future__ import annotations

from ds01.install import files, look, removal, system, texts, undo
from ds01.install.machine import Found
from ds01.install.manifest import Manifest, as_found
from ds01.install.paths import DAEMON_JSON, MANIFEST, STATE
from ds01.install.plan import Plan
from ds01.install.wanted import Part
from ds01.install.whole import Say, whole


def install(plan: Plan, say: Say, *, first: bool) -> None:
    """Do it. ``say`` hears of each step. Raises Ds01Error when a step failed, the first time after putting all back."""
    written = False

    def work(say: Say) -> None:
        nonlocal written
        _write(plan, say)
        written = True
        _start(plan, say)

    def back(say: Say) -> None:
        known = look.manifest()
        undo.remove(removal.make(known, look.there(tuple(known.entries)), {}), say, engine=written)

    whole(work, back if first else None, say)


def _write(plan: Plan, say: Say) -> None:
    remember(plan.manifest)
    for account in plan.accounts:
        say(f"making the {'account' if account.user else 'group'} {account.name}")
        if account.user:
            system.add_user(account.name)
        else:
            system.run("groupadd", "--system", account.name)
    say(f"writing {len(plan.changes)} files")
    for change in plan.changes:
        if change.edited:
            say(f"keeping your changes as {files.aside(change.item.path)}")
        files.put(change.item.path, as_found(change.item))
    if plan.asks_engine:
        system.run("dockerd", "--validate", "--config-file", DAEMON_JSON)


def _start(plan: Plan, say: Say) -> None:
    system.run("systemd-tmpfiles", "--create", texts.TMPFILES)
    system.run("systemctl", "daemon-reload")
    if plan.restart_engine or plan.restart_containerd:
        say("restarting the engine")
        system.restart_engine(containerd=plan.restart_containerd, engine=plan.restart_engine)
    system.wait_for_engine()
    remember(plan.manifest.without(Part.CONTAINERD, Part.ENGINE))
    say("starting ds01d and the gateway")
    system.start(plan.starts)
    system.wait_for_ds01()
    remember(plan.manifest.finished())


def remember(known: Manifest) -> None:
    """Write the manifest, for root alone: it has what was in root's files."""
    files.put(STATE, Found(folder=True, mode=0o700))
    files.put(MANIFEST, Found(text=known.text(), mode=0o600))
