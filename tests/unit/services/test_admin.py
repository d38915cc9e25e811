"""The admin's ways: past the gateway with a reason and for a while, and what the gateway would have refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ds01.domain.errors import ADMIN_ONLY, Ds01Error
from ds01.domain.limits import Group, Policy, Sourced
from ds01.domain.people import User
from ds01.domain.settings import DockerSettings
from ds01.services import fence, glass
from ds01.services.alarms import alarms
from ds01.services.door import audit, known, report
from ds01.wire.admin import GlassRequest
from ds01.wire.door import DoorAudit
from tests.server import ALICE, BOB, ROOT, SimServer

ASK = GlassRequest(reason="the old system's volumes", minutes=10)


def observed(user: int, rule: str, *changes: str) -> DoorAudit:
    return DoorAudit(uid=user, method="POST", path="/containers/create", subject="", outcome="observed", rule=rule,
                     reason=f"{rule} is not allowed here", changes=changes, advice="Leave it out.")  # fmt: skip


@pytest.fixture
def admin(server: SimServer) -> User:
    """Bob, whom the limits file makes an admin."""
    ops = Group(
        name="ops", members=frozenset({BOB.login}), layer={"admin": Sourced(value=True, source="limits.yaml:9")}
    )
    before = server.policy.settings
    server.policy.settings = replace(before, policy=Policy(groups=(ops, *before.policy.groups)))
    return BOB


async def test_the_way_past_the_gateway_closes_by_itself(server: SimServer, admin: User) -> None:
    bob = await server.caller(admin)
    assert (await known.user(server.world, admin.uid)).glass == ""
    opened = await glass.open_glass(server.world, bob, ASK)
    assert opened.socket.endswith("/admin.sock")
    assert (await known.user(server.world, admin.uid)).glass == ASK.reason
    assert "is open" in (await alarms(server.world, bob))[0]
    await server.clock.advance(601)
    assert (await known.user(server.world, admin.uid)).glass == ""
    assert await alarms(server.world, bob) == ()
    assert "door.glass" in await server.events()


async def test_the_way_past_the_gateway_is_closed_at_once(server: SimServer, admin: User) -> None:
    bob = await server.caller(admin)
    await glass.open_glass(server.world, bob, ASK)
    assert (await glass.close_glass(server.world, bob)).until == ""
    assert await glass.why_open(server.world, bob) == ""


async def test_root_is_told_that_it_has_the_engine(server: SimServer) -> None:
    with pytest.raises(Ds01Error, match="own socket"):
        await glass.open_glass(server.world, await server.caller(ROOT), ASK)


async def test_users_have_no_way_past_it(server: SimServer) -> None:
    alice = await server.caller(ALICE)
    for asked in (glass.open_glass(server.world, alice, ASK), glass.close_glass(server.world, alice),
                  report.report(server.world, alice), fence.leave_down(server.world, alice),
                  fence.keep_up(server.world, alice), fence.show(server.world, alice)):  # fmt: skip
        with pytest.raises(Ds01Error) as refused:
            await asked
        assert refused.value.kind is ADMIN_ONLY
    assert await alarms(server.world, alice) == ()


async def test_what_would_be_refused_is_summed_up_by_rule(server: SimServer) -> None:
    entries = [observed(ALICE.uid, "create.privileged"), observed(BOB.uid, "create.privileged", "x", "40 times"),
               observed(ALICE.uid, "create.binds")]  # fmt: skip
    for user in (ALICE, BOB):
        await server.caller(user)
    await audit.record(server.world, entries)
    found = await report.report(server.world, await server.caller(ROOT))
    assert [(rule.rule, rule.times, rule.users) for rule in found.rules] == [
        ("create.privileged", 41, (ALICE.login, BOB.login)), ("create.binds", 1, (ALICE.login,)),
    ]  # fmt: skip
    assert (found.observing, found.rules[0].advice) == (False, "Leave it out.")


async def test_the_gateway_watches_until_a_time_and_every_admin_is_told(server: SimServer) -> None:
    until = server.clock.now() + timedelta(hours=1)
    server.policy.settings = replace(server.policy.settings, docker=DockerSettings(observe_until=until))
    root, alice = await server.caller(ROOT), await server.caller(ALICE)
    assert (await known.user(server.world, ALICE.uid)).observed
    assert "ONLY WATCHES" in (await alarms(server.world, root))[0]
    assert await alarms(server.world, alice) == ()
    await server.clock.advance(3601)
    assert not (await known.user(server.world, ALICE.uid)).observed
    assert await alarms(server.world, root) == ()


async def test_a_fence_that_was_taken_down_stays_down_over_a_restart(server: SimServer) -> None:
    root = await server.caller(ROOT)
    await server.reconciler.round()
    assert (await fence.show(server.world, root)).missing == ""
    assert (await fence.leave_down(server.world, root)).down
    server.restart()
    await server.reconciler.round()
    assert "fence" in (await alarms(server.world, root))[0]
    assert (await fence.keep_up(server.world, root)).down is False
    assert await alarms(server.world, root) == ()
