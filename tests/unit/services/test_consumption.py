"""The account of what was consumed: whose it is, and that all its lines together are what the meters show."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from ds01.domain import errors
from ds01.domain.consumption import IDLE, UNATTRIBUTED, shares
from ds01.domain.errors import Ds01Error
from ds01.domain.settings import EnergySettings
from ds01.services.consumption import consumption
from ds01.services.stop import stop
from ds01.sim.meters import Use
from ds01.sim.script import Load
from ds01.wire.usage import ConsumptionView
from tests.server import BOB, ROOT, SimServer, settings
from tests.values import gpu, slots

MIXED = slots(gpu(1, parts=["3g.20gb", "2g.10gb", "2g.10gb"]))


async def account(server: SimServer, *, everybody: bool = False, by: str = "container") -> ConsumptionView:
    caller = await server.caller(ROOT) if everybody else await server.caller()
    since = server.clock.now() - timedelta(days=2)
    return await consumption(server.world, caller, since=since, by=by, everybody=everybody)


def test_the_parts_of_a_gpu_share_its_energy_by_what_they_do() -> None:
    one, two, three = (slot.id for slot in MIXED)
    found = shares(MIXED, {one: 1.0, two: 0.0, three: None}, frozenset({one, two, three}))
    assert sum(found.values()) == pytest.approx(1)
    assert found[one] > found[two] * 5
    assert found[three] == pytest.approx(found[two] / 0.15), "what cannot be measured and is leased worked"
    alone = shares(slots(gpu(0)), {}, frozenset())
    assert list(alone.values()) == [1.0]


async def test_hours_of_gpus_processors_and_memory_are_counted(server: SimServer) -> None:
    made = await server.launch(gpus="2")
    server.meters.use(made.id, Use(cpus=2.0, memory_bytes=4 * 1024**3))
    await server.live(62)
    (line,) = (await account(server)).lines
    assert (line.user, line.project, line.container) == ("alice", "thesis", "thesis")
    assert line.running_hours == pytest.approx(1, abs=0.05)
    assert line.gpu_hours == line.gpueq_hours == pytest.approx(2, abs=0.1)
    assert line.cpu_hours == pytest.approx(2, abs=0.1)
    assert line.memory_gib_hours == pytest.approx(4, abs=0.2)


async def test_all_lines_together_are_the_meters_over_a_day_with_mig_and_a_restart(server: SimServer) -> None:
    server.policy.settings = settings(idle=None, runtime=None, gpus__max=Fraction(4))
    server.devices.repartition(1, "a100-40gb: 3g.20gb 2g.10gb 2g.10gb")
    await server.open()
    begin = sum(server.devices.energy().values())
    await server.live(1)
    await server.launch(gpus="full")
    await server.launch(BOB, project="mig", gpus="3g.20gb")
    server.devices.set_load("0", Load(utilisation=0.9))
    server.devices.set_load("1:3g.20gb", Load(utilisation=0.5))
    await server.live(8 * 60, look_seconds=60)
    await stop(server.world, await server.caller(), "thesis")
    await server.live(2 * 60, look_seconds=60)
    await server.enforcer.stop()
    server.restart()
    await server.clock.advance(2 * 3600)
    await server.live(12 * 60, look_seconds=60)
    await server.enforcer.stop()
    drawn = sum(server.devices.energy().values()) - begin
    found = await account(server, everybody=True, by="user")
    assert found.total.energy_wh * 3600 == pytest.approx(drawn, rel=0.02)
    lines = {line.user: line.energy_wh for line in found.lines}
    assert set(lines) == {"alice", "bob@lab.lan", f"({IDLE})", f"({UNATTRIBUTED})"}
    assert sum(lines.values()) == pytest.approx(found.total.energy_wh, rel=1e-6)
    quarter = 2 * 3600 * 0.02
    assert lines[f"({UNATTRIBUTED})"] > quarter / 3600


async def test_a_meter_that_begins_anew_charges_nobody(server: SimServer) -> None:
    await server.launch()
    await server.live(5)
    before = (await account(server, everybody=True)).total.energy_wh
    server.devices._joules.clear()
    await server.live(1.25)
    after = (await account(server, everybody=True)).total.energy_wh
    assert 0 <= after - before < 20


async def test_co2_is_the_energy_of_each_line_at_the_grids_grams_for_a_kilowatt_hour(server: SimServer) -> None:
    server.policy.settings = replace(
        settings(idle=None, runtime=None), energy=EnergySettings(co2=380.0)
    )  # fmt: skip
    await server.live(1)
    begin = sum(server.devices.energy().values())
    await server.launch()
    server.devices.set_load("0", Load(utilisation=1.0))
    await server.live(10 * 60, look_seconds=60)
    await server.enforcer.stop()
    kilowatt_hours = (sum(server.devices.energy().values()) - begin) / 3_600_000
    found = await account(server, everybody=True, by="user")
    assert found.total.co2_g == pytest.approx(kilowatt_hours * 380, rel=0.02)
    grams = {line.user: line.co2_g or 0.0 for line in found.lines}
    assert sum(grams.values()) == pytest.approx(found.total.co2_g, abs=0.01)
    assert grams["alice"] > grams[f"({IDLE})"] / 3 > 0, "one that works draws more than any of three that rest"
    for line in found.lines:
        assert line.co2_g == pytest.approx(line.energy_wh * 0.380, abs=0.01)


async def test_one_sees_ones_own_and_no_co2_where_the_grid_is_not_known(server: SimServer) -> None:
    await server.launch(BOB, project="his")
    await server.live(3)
    assert (await account(server)).lines == ()
    assert (await account(server, everybody=True)).total.co2_g is None
    with pytest.raises(Ds01Error) as caught:
        await account(server, by="colour")
    assert caught.value.kind == errors.BAD_REQUEST


@pytest.mark.parametrize("by", ["container", "day"])
async def test_an_account_is_bounded_and_says_how_much_is_left_out(
    server: SimServer, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    await server.launch(name="small", gpus="1")
    await server.launch(name="large", gpus="1")
    await server.live(2)
    whole = await account(server, by=by)
    monkeypatch.setattr("ds01.services.consumption.MOST_LINES", 1)
    cut = await account(server, by=by)
    assert cut.lines == (whole.lines[-1:] if by == "day" else whole.lines[:1])
    assert (whole.more, cut.more, cut.total) == (0, len(whole.lines) - 1, whole.total)
