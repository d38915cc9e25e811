"""Whose a GPU is, is for its owner and for admins; how busy it is, for everybody, in percent."""

from __future__ import annotations

from ds01.services.gpus import show_gpus
from ds01.sim.script import Load
from tests.server import ALICE, BOB, ROOT, SimServer


async def test_mine_by_name_others_in_use_and_admins_see_all(server: SimServer) -> None:
    await server.launch(ALICE)
    await server.launch(BOB, project="secret")
    seen = {}
    for user in (ALICE, BOB, ROOT):
        found = await show_gpus(server.world, await server.caller(user))
        seen[user.login] = [(slot.holder, slot.container) for slot in found.slots[:2]]
    assert sorted(seen["alice"]) == [("alice", "thesis"), ("in use", "")]
    assert sorted(seen["bob@lab.lan"]) == [("bob@lab.lan", "secret"), ("in use", "")]
    assert sorted(seen["root"]) == [("alice", "thesis"), ("bob@lab.lan", "secret")]


async def test_how_busy_is_in_percent(server: SimServer) -> None:
    server.devices.set_load("0", Load(utilisation=0.874))
    server.devices.set_load("1", Load(utilisation=None))
    found = await show_gpus(server.world, await server.caller(ALICE))
    assert [slot.utilisation for slot in found.slots[:3]] == [87.4, None, 0.0]
