"""The table of the benchmarks says truly whether a budget is kept."""

from __future__ import annotations

from bench import stage, watch
from bench.__main__ import ALONE, cells, found, merged, page, table
from bench.row import Row, added, interleaved, p50, p95

from ds01.domain.gpu import slots_of
from ds01.sim.partition import gpu


def test_a_budget_on_top_of_a_peer_is_judged_by_the_difference() -> None:
    assert added("launch", 350, "docker run", 270, 100).met
    assert not added("launch", 380, "docker run", 270, 100).met


def test_a_rate_must_reach_its_budget() -> None:
    rate = Row(path="grants", ours=700, unit="/s", rule="≥ 500/s", judged=700, budget=500, at_least=True)
    assert rate.met
    assert rate.ratio is None


def test_the_table_has_a_line_for_each_row_and_names_what_is_missed() -> None:
    rows = [added("launch", 350, "docker run", 270, 100), added("retire", 900, "docker rm -f", 300, 150)]
    lines = table(map(cells, rows)).splitlines()
    assert len(lines) == 4
    assert lines[2].endswith("| yes  |")
    assert lines[3].endswith("| NO   |")
    assert "make bench" in page(map(cells, rows))


def test_what_is_measured_again_takes_its_old_place() -> None:
    old = [added("launch", 350, "docker run", 270, 100), added("retire", 900, "docker rm -f", 300, 150)]
    new = [added("retire", 400, "docker rm -f", 300, 150), added("list", 2, "engine", 1, 1)]
    rows = merged(page(map(cells, old)), map(cells, new))
    assert rows == [cells(old[0]), cells(new[0]), cells(new[1])]


def test_what_has_a_process_of_its_own_is_there() -> None:
    assert set(ALONE) <= set(found())


def test_measurements_take_turns() -> None:
    order: list[str] = []
    taken = interleaved(3, lambda: order.append("a"), lambda: order.append("b"))
    assert order == ["a", "b"] * 3
    assert [len(values) for values in taken] == [3, 3]
    assert p50([1, 2, 3]) == 2
    assert 2 < p95([1, 2, 3]) <= 3


async def test_a_pass_and_a_scrape_are_measured_at_work() -> None:
    """They look at every container and stop none: ``bench.watch`` itself would fail if they did not."""
    assert await watch.passes(60, times=3) > 0
    assert await watch.scrapes(60, times=2, people=True) > 0


def test_the_server_of_the_benchmarks_has_eight_gpus_some_of_them_divided() -> None:
    found = [gpu(line, index) for index, line in enumerate(stage.GPUS)]
    assert (len(found), sum(each.mig for each in found)) == (8, 3)
    assert sum(len(slots_of(each)) for each in found) == 18
