"""The live view: what it shows, what its keys do, and that it stays when ds01d goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual.containers import VerticalScroll
from textual.pilot import Pilot
from textual.widgets import Input, Static

from ds01.cli.style import Style, columns
from ds01.client import Client
from ds01.domain.errors import EXTEND_QUOTA, Ds01Error
from ds01.domain.record import replace
from ds01.tui.extend import Extend
from ds01.tui.top import ATTACH, PARTS, RETIRE, Top, Wish
from ds01.wire.lifecycle import ExtendView
from ds01.wire.queue import PlaceView, QueueView
from ds01.wire.status import StatusView
from tests.unit.cli import values
from tests.unit.cli.daemon import Daemon

PLAIN = Style(colour=False, symbols=True, width=80)
PATIENCE_SECONDS = 10.0
STATUS = "GET", "/v1/status"


def busy_server(**more: Any) -> StatusView:
    """Two containers of Anna's, one of somebody else's, one who waits, one notice."""
    place = PlaceView(
        name="big", owner="anna", state="waiting", asked="--gpus 2", since="2026-03-02T09:00:00+00:00", place=1, of=3,
        reason="full",
    )  # fmt: skip
    slots = (
        values.slot(
            "0", "active", holder="anna", container="thesis", utilisation=87.4, memory_used_bytes=12 * values.GIB
        ),
        values.slot("1", "active", holder="in use", utilisation=3.0),
        values.slot("2"),
        values.slot("3", "quarantined", reason="in use outside DS01 by python of eve (process 77)"),
    )
    status = values.status(
        values.busy(), values.container("old", "stopped", reason="idle for 30m"),
        queue=QueueView(places=(place,), waiting=3, reserved=0, others=2),
        notices=("thesis will be stopped at 17:20.",),
    )  # fmt: skip
    return replace(status, gpus=values.gpus(*slots), **more)


@pytest.fixture
def top(daemon: Daemon, client: Client) -> Top:
    daemon.answers[STATUS] = busy_server()
    return Top(client, PLAIN)


def shown(top: Top) -> str:
    """What stands on the screen."""
    parts = [top.query_one(f"#{part}", Static) for part in PARTS]
    return "\n".join(str(part.content) for part in parts if part.display)


def said(top: Top) -> str:
    return str(top.query_one("#told", Static).content)


async def until(pilot: Pilot[Any], text: str) -> None:
    """Wait until the view shows or says it."""
    await so(pilot, lambda top: text in shown(top) + said(top))


async def so(pilot: Pilot[Any], what: Callable[[Top], bool]) -> None:
    """Wait until it is so."""
    top = pilot.app
    assert isinstance(top, Top)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not what(top):
            await pilot.pause(0.01)


async def until_asked(pilot: Pilot[Any], daemon: Daemon, times: int) -> None:
    await so(pilot, lambda _: len(daemon.asked) >= times)


async def test_it_shows_mine_by_name_and_others_as_in_use(top: Top) -> None:
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "GPUs of the server")
        text = shown(top)
    lines = text.splitlines()
    assert next(line for line in lines if line.startswith("0 ")).endswith("12G of 40G  anna: thesis")
    assert next(line for line in lines if line.startswith("1 ")).rstrip().endswith("in use")
    for fact in ("87%", "3%", "free", "quarantined", "1 of 4 free", "17:20", "1 of 3", "▶ thesis", "29m", "22h13m"):
        assert fact in text, fact


@pytest.mark.parametrize(("width", "symbols"), [(80, True), (80, False), (44, True), (200, True)])
async def test_it_fits_the_screen(daemon: Daemon, client: Client, width: int, symbols: bool) -> None:
    daemon.answers[STATUS] = busy_server()
    top = Top(client, replace(PLAIN, symbols=symbols))
    async with top.run_test(size=(width, 24)) as pilot:
        await until(pilot, "GPUs of the server")
        text = shown(top)
    assert max(map(columns, text.splitlines())) <= width - 2
    assert symbols or not set(text) & set("█░▶")


async def test_it_fits_a_screen_that_becomes_narrower(top: Top) -> None:
    async with top.run_test(size=(120, 24)) as pilot:
        await until(pilot, "GPUs of the server")
        assert max(map(columns, shown(top).splitlines())) > 60
        await pilot.resize_terminal(62, 24)
        await so(pilot, lambda top: max(map(columns, shown(top).splitlines())) <= 60)


async def test_it_is_renewed_and_draws_nothing_that_did_not_change(daemon: Daemon, top: Top) -> None:
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "87%")
        top.look()
        await until_asked(pilot, daemon, 2)
        before = shown(top)
        changed = replace(values.slot("0", "active", holder="anna", container="thesis"), utilisation=41.0)
        daemon.answers[STATUS] = replace(busy_server(), gpus=values.gpus(changed))
        top.look()
        await until(pilot, "41%")
        assert shown(top) != before


async def test_a_question_is_not_asked_before_the_last_one_is_answered(daemon: Daemon, top: Top) -> None:
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "87%")
        for _ in range(20):
            top.look()
        await until_asked(pilot, daemon, 2)
        assert len(daemon.asked) == 2


@pytest.mark.parametrize(("key", "verb"), [("a", ATTACH), ("enter", ATTACH), ("r", RETIRE)])
async def test_attach_and_retire_leave_the_view_with_a_wish(top: Top, key: str, verb: str) -> None:
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "▶ thesis")
        await pilot.press("down")
        await until(pilot, "▶ old")
        await pilot.press(key)
    assert top.return_value == Wish(verb=verb, name="old")


async def test_q_leaves_with_no_wish(top: Top) -> None:
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "▶ thesis")
        await pilot.press("q")
    assert top.return_value is None
    assert top.return_code == 0


async def test_the_choice_goes_round_and_follows_what_is_there(daemon: Daemon, top: Top) -> None:
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "▶ thesis")
        await pilot.press("up")
        await until(pilot, "▶ old")
        daemon.answers[STATUS] = replace(busy_server(), containers=(values.busy("exp-2"),))
        top.look()
        await until(pilot, "▶ exp-2")


async def test_extend_asks_by_how_much_and_is_done_only_then(daemon: Daemon, top: Top) -> None:
    daemon.answers["POST", "/v1/containers/thesis/extend"] = ExtendView(
        container=values.busy(), added_seconds=7200, total_seconds=7200, more_seconds=0
    )
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "▶ thesis")
        await pilot.press("e", "escape")
        await pilot.pause()
        assert not isinstance(top.screen, Extend)
        await pilot.press("e")
        await pilot.pause()
        assert isinstance(top.screen, Extend)
        await pilot.press(*"soon", "enter")
        assert "is no time" in str(top.screen.query_one("#word", Static).content)
        top.screen.query_one(Input).value = "2h"
        await pilot.press("enter")
        await so(pilot, lambda top: not isinstance(top.screen, Extend) and "longer" in said(top))
        assert said(top) == "thesis may run 2h longer."
    (asked,) = [each for each in daemon.asked if each.method == "POST"]
    assert asked.body == {"seconds": 7200}


async def test_an_extension_that_is_refused_is_said(daemon: Daemon, top: Top) -> None:
    daemon.answers["POST", "/v1/containers/thesis/extend"] = Ds01Error(
        EXTEND_QUOTA, "No more than 8h.", reason="You had them."
    )
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "▶ thesis")
        await pilot.press("e", "enter")
        await until(pilot, "No more than 8h. You had them.")


async def test_when_ds01d_goes_the_last_picture_stays_and_says_so(daemon: Daemon, top: Top) -> None:
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "87%")
        daemon.answers[STATUS] = Ds01Error(EXTEND_QUOTA, "ds01d is busy.")
        top.look()
        await until(pilot, "ds01d is busy. This is the last picture")
        assert "87%" in shown(top)
        daemon.answers[STATUS] = busy_server()
        top.look()
        await so(pilot, lambda top: not said(top))


async def test_a_small_screen_turns_its_pages(daemon: Daemon, client: Client) -> None:
    daemon.answers[STATUS] = replace(busy_server(), gpus=values.gpus(*(values.slot(str(n)) for n in range(56))))
    top = Top(client, PLAIN)
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "56 of 56 free")
        await pilot.press("pagedown")
        await so(pilot, lambda top: top.query_one(VerticalScroll).scroll_y > 10)
        await pilot.press("pageup")
        await so(pilot, lambda top: top.query_one(VerticalScroll).scroll_y == 0)


async def test_a_mistake_of_the_view_is_no_stack_trace(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    top = Top(client, PLAIN)
    with pytest.raises(ZeroDivisionError):
        async with top.run_test(size=(80, 24)):
            top.call_later(lambda: 1 // 0)
    assert isinstance(top.broken, ZeroDivisionError)
    assert capfd.readouterr() == ("", "")


async def test_without_a_container_keys_say_what_to_type(daemon: Daemon, client: Client) -> None:
    daemon.answers[STATUS] = values.status()
    top = Top(client, PLAIN)
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "None. ds01 launch NAME makes one.")
        for key in ("a", "r", "e", "up", "down"):
            await pilot.press(key)
        await until(pilot, "You have no container yet")
        assert top.is_running


async def test_simulated_gpus_and_alarms_are_never_silent(daemon: Daemon, client: Client) -> None:
    daemon.answers[STATUS] = busy_server(simulated_gpus=True, alarms=("THE GATEWAY ONLY WATCHES.",))
    top = Top(client, PLAIN)
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "The GPUs are simulated.")
        assert "THE GATEWAY ONLY WATCHES." in shown(top)


async def test_a_name_is_shown_as_it_is_and_no_markup(daemon: Daemon, client: Client) -> None:
    daemon.answers[STATUS] = values.status(values.busy("[red]x"), notices=("[bold]now[/] and \x1b[31mred",))
    top = Top(client, PLAIN)
    async with top.run_test(size=(80, 24)) as pilot:
        await until(pilot, "[red]x")
        assert "[bold]now[/]" in shown(top)
