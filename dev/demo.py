"""``make demo``: every promise of DS01, checked on this machine by two ordinary users, told as a short story.

make demo                       the story
make demo ARGS=--json           and as the last line one JSON object with every promise
make demo ARGS="W1 F3"          only these
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict

from dev import base, foreground, installation
from dev.promises import PROMISES, Outcome, keep
from dev.promises.lab import BrokenError, Lab, close_lab, open_lab
from dev.stack import Stack, StackError


def main() -> int:
    """Play it; 1 when a promise does not hold."""
    parser = argparse.ArgumentParser(prog="make demo", description="Every promise of DS01, checked on this machine.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these promises, such as W1")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    options = parser.parse_args()
    began = time.monotonic()
    try:
        with foreground.running() as stack:
            outcomes = _play(stack, {identity.upper() for identity in options.ids})
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except (StackError, base.BaseError, installation.InstallationError) as error:
        _say(str(error))
        return 1
    broken = [outcome.id for outcome in outcomes if not outcome.ok]
    _say("")
    _say(f"{len(outcomes) - len(broken)} of {len(outcomes)} promises hold, {time.monotonic() - began:.0f} s in all")
    if options.json:
        print(json.dumps({"promises": [asdict(outcome) for outcome in outcomes]}))
    return 1 if broken else 0


def _play(stack: Stack, ids: set[str]) -> list[Outcome]:
    lab = open_lab(stack)
    try:
        _open(lab)
        return [_told(keep(promise, lab)) for promise in PROMISES if not ids or promise.id in ids]
    finally:
        _clean(lab)


def _clean(lab: Lab) -> None:
    """Leave no container and no account of the demo's own behind."""
    try:
        lab.fresh()
    except BrokenError as broken:
        _say(f"left behind: {broken}")
    close_lab(lab)


def _open(lab: Lab) -> None:
    lab.fresh()
    gpus = lab.root("status")["gpus"]
    if gpus["free"] != gpus["total"]:
        raise StackError(
            f"The demo needs all {gpus['total']} GPUs of its stack, and {gpus['total'] - gpus['free']} are in use: "
            "see ds01 list --all, or choose another place with STATE=DIR make demo."
        )
    _say("")
    if gpus["simulated"]:
        _say("*** SIMULATED GPUs: this machine has no NVIDIA GPU. Nothing computes on them. ***")
    _say(f"{gpus['total']} GPUs, two users: {lab.ada.person.login} and {lab.ben.person.login}, with a project each.")
    _say("")


def _told(outcome: Outcome) -> Outcome:
    _say(f"{'ok    ' if outcome.ok else 'BROKEN'} {outcome.id}  {outcome.seconds:5.1f} s  {outcome.what}")
    return outcome


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
