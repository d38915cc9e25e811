"""What the engine says, as its user reads it: her own words, and never more than somebody reads."""

from __future__ import annotations

import pytest

from ds01.gateway.door import Door
from ds01.gateway.registry import Registry
from ds01.gateway.said import said
from ds01.gateway.show import View
from ds01.wire.door import DoorContainer, DoorUser
from tests.effort import not_for_hours

ALICE, MALLORY = (DoorUser(uid=uid, gid=uid, login="x", admin=False) for uid in (1001, 1002))
MINE, ANOTHERS = "b" * 64, "a" * 64
PINS = "/run/ds01/binds/1002/k"
LONG = "/home/m/" + "d" * 4000


def registry() -> Registry:
    found = Registry(Door("/nowhere"))
    found.learn(DoorContainer(id=ANOTHERS, uid=1001, name="web", stored_name="web._.1001"))
    binds = {f"{PINS}/1": "/home/m/one", f"{PINS}/12": "/home/m/twelve", f"{PINS}/3": LONG}
    found.learn(DoorContainer(id=MINE, uid=1002, name="web", stored_name="web._.1002", binds=binds))
    return found


def test_folders_are_as_she_wrote_them() -> None:
    text = f'mount "{PINS}/12": no; {PINS}/1/sub: no; {PINS}/4, /run/ds01/binds/1001/k/1 and {PINS[:-2]}'
    assert said(registry(), MALLORY, text) == (
        f'mount "/home/m/twelve": no; /home/m/one/sub: no; {PINS}/4, /run/ds01/binds/1001/k/1 and {PINS[:-2]}'
    )


def test_names_and_ids_are_hers() -> None:
    found = said(registry(), MALLORY, f"web._.1002 {MINE} {ANOTHERS} {'c' * 64}", ("c" * 64,))
    assert found == f"web {MINE} another {'c' * 64}"


@pytest.mark.parametrize("text", [f"{PINS}/3 ", "/run/ds01/binds/1002/000000000000000", "/" * 50, "._.1002", "a" * 63])
def test_e33_a_text_without_end_becomes_a_short_one(text: str) -> None:
    """Each place could become a path of 4,096 characters."""
    with not_for_hours():
        found = said(registry(), MALLORY, text * 20_000)
    assert len(found) <= 16_384
    assert len(found) < 8_192 or found.endswith(" …")


def test_why_a_container_did_not_start_is_shown_as_she_wrote_it() -> None:
    registered = registry()
    state = {"Status": "created", "Error": f"error mounting {PINS}/1: not a directory in {ANOTHERS}"}
    (mine,) = registered.containers(MALLORY)
    found = View(registered, MALLORY).inspected({"Id": MINE, "State": state}, mine)
    assert found["State"] == {"Status": "created", "Error": "error mounting /home/m/one: not a directory in another"}
    well = {"Status": "running", "Error": ""}
    assert View(registered, MALLORY).inspected({"Id": MINE, "State": dict(well)}, mine)["State"] == well
