"""What the rules of life do to real containers of a simulated server: told in time, stopped with a reason, kept."""

from __future__ import annotations

import asyncio
import io
import tarfile
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from ds01.domain.changes import Change
from ds01.domain.container import Container, ContainerState
from ds01.domain.events import EventType
from ds01.domain.lifecycle.case import Act, Due, Level, Rule
from ds01.domain.notice import Preferences
from ds01.domain.people import Uid, User
from ds01.services.enforce import act, deliver
from ds01.services.enforce.enforcer import Enforcer
from ds01.services.metrics import exposition
from ds01.services.notices import unseen
from ds01.services.pause import pause
from ds01.services.prolong import extend
from ds01.services.retire import retire
from ds01.services.stop import stop
from ds01.sim.channel import SimChannel
from ds01.sim.directory import SimDirectory
from ds01.sim.meters import Use
from ds01.sim.script import Load
from ds01.wire.containers import RetireRequest
from tests.server import ALICE, BOB, SimServer, settings

HOUR = 60.0


async def made(server: SimServer, **changes: Any) -> Container:
    """A container of Alice's with a GPU, past the time after its start in which nothing counts as idle."""
    container = await server.launch(**changes)
    server.meters.use(container.id, Use(cpus=1.0))
    await server.live(30)
    server.meters.use(container.id, Use())
    return container


async def state(server: SimServer, name: str = "thesis") -> tuple[str, str]:
    found = await server.container(name)
    assert found is not None
    return found.state.value, "" if found.reason is None else f"{found.reason.value}:{found.reason_detail}"


def titles(server: SimServer) -> list[str]:
    return [letter.title for letter in server.terminals.letters]


async def test_e8_f4_an_idle_container_is_told_twice_and_stopped_with_its_reason(server: SimServer) -> None:
    await made(server)
    await server.live(14.5)
    assert titles(server) == []
    await server.live(1)
    assert len(titles(server)) == 1
    await server.live(9)
    assert await state(server) == ("running", "")
    await server.live(1)
    assert [letter.level for letter in server.terminals.letters] == [Level.WARNING, Level.LAST]
    await server.live(5)
    assert await state(server) == ("stopped", "idle:30m")
    assert titles(server)[2].startswith("thesis was stopped at ")
    (lease,) = await server.leases()
    assert lease.state == "held"
    events = await server.events()
    assert events.count("notice.delivered") == 3
    assert events.index("notice.delivered") < events.index("container.stopped")


async def test_a_notice_of_what_the_engine_removed_with_its_end_offers_no_restart(server: SimServer) -> None:
    container = await made(server)
    server.engine.goes_with_its_end(container.id)
    await server.live(31)
    assert (await server.leases(), await server.container()) == ((), None)
    warning, *_, letter = server.terminals.letters
    assert "It was started with --rm: then it is removed" in warning.text
    assert letter.title.startswith("thesis was stopped at ")
    assert "It was started with --rm and is gone with its end. Your files in /home/alice/workspace/thesis stay." in (
        letter.text
    )
    assert "ds01 undo" not in letter.text
    assert "ds01 why thesis" in letter.text


async def test_whoever_works_is_left_alone(server: SimServer) -> None:
    container = await made(server)
    server.devices.set_load("0", Load(utilisation=0.3))
    await server.live(3 * HOUR)
    assert await state(server) == ("running", "")
    server.devices.set_load("0", Load(utilisation=0.0))
    server.meters.use(container.id, Use(network_bytes_per_second=40_000))
    await server.live(2 * HOUR)
    assert (await state(server), titles(server)) == (("running", ""), [])


async def test_a_busy_server_shortens_idling_and_says_so(server: SimServer) -> None:
    server.policy.settings = settings(gpus__max=Fraction(4), gpus__per_container=4, idle=timedelta(hours=1))
    await made(server)
    await server.launch(BOB, project="others", gpus="3")
    server.meters.use((await existing(server, "others", BOB)).id, Use(cpus=1.0))
    await server.live(16)
    assert titles(server)[0].endswith("in 15 minutes, unless it is used")
    assert "it may idle for 30m (shortened from 1h: the server is busy)." in server.terminals.letters[0].text
    await server.live(15)
    assert await state(server) == ("stopped", "idle:30m")


async def test_a_server_that_is_busy_no_more_gives_the_whole_time_back(server: SimServer) -> None:
    server.policy.settings = settings(gpus__max=Fraction(4), gpus__per_container=4, idle=timedelta(hours=1))
    await made(server)
    await server.launch(BOB, project="others", gpus="3")
    await server.live(16)
    await retire(server.world, await server.caller(BOB), "others", RetireRequest())
    await server.live(1)
    assert await standing(server) == (0, 0)
    await server.live(27)
    assert (await state(server), len(titles(server))) == (("running", ""), 1)
    await server.live(17)
    assert await state(server) == ("stopped", "idle:1h")


async def existing(server: SimServer, name: str, user: User) -> Container:
    found = await server.container(name, user)
    assert found is not None
    return found


async def test_gpu_memory_that_is_only_held_is_idle_and_the_notice_says_so(server: SimServer) -> None:
    await made(server)
    server.devices.set_load("0", Load(utilisation=0.0, memory_used_bytes=12 * 1024**3))
    await server.live(16)
    assert "It holds 12G of GPU memory, but holding it is not using it." in server.terminals.letters[0].text


@pytest.mark.parametrize("blind", ["gpu", "cpu", "network", "gone"])
async def test_what_cannot_be_measured_counts_as_work(server: SimServer, blind: str) -> None:
    container = await made(server)
    if blind == "gpu":
        server.devices.set_load("0", Load(utilisation=None))
    elif blind == "gone":
        server.meters.gone.add(container.id)
    else:
        use = Use(cpus=None) if blind == "cpu" else Use(network_bytes_per_second=None)
        server.meters.use(container.id, use)
    await server.live(2 * HOUR)
    assert (await state(server), titles(server)) == (("running", ""), [])


async def test_a_mig_instance_that_works_does_not_cover_for_its_sibling(server: SimServer) -> None:
    server.devices.repartition(0, "a100-40gb: 3g.20gb 3g.20gb")
    for index in (1, 2, 3):
        server.devices.lose(index)
    await server.open()
    await server.launch(gpus="3g.20gb")
    (lease,) = await server.leases()
    server.devices.set_load(lease.slots[0], Load(utilisation=0.9))
    await made(server, project="other", gpus="3g.20gb")
    await server.live(35)
    assert (await state(server))[0] == "running"
    assert (await state(server, "other"))[0] == "stopped"


async def test_who_works_again_is_not_stopped_and_her_warning_is_taken_back(server: SimServer) -> None:
    container = await made(server)
    await server.live(20)
    server.meters.use(container.id, Use(cpus=4.0))
    await server.live(1)
    notices = await server.world.ledger.read(lambda books: books.notices(ALICE.uid))
    server.meters.use(container.id, Use())
    await server.live(14)
    assert (notices, await state(server)) == ((), ("running", ""))


async def test_nobody_reached_waits_one_more_lead_and_an_event_says_why(server: SimServer) -> None:
    await made(server)
    server.terminals.open = False
    await server.live(40)
    assert (await state(server))[0] == "running"
    assert (await server.events()).count("notice.undelivered") == 1
    await server.live(6)
    assert await state(server) == ("stopped", "idle:30m")


async def test_a_mistake_in_a_channel_makes_nobody_immune(server: SimServer) -> None:
    mail = SimChannel("mail", fault=IndexError("string index out of range"))
    server.world = replace(server.world, channels=(mail, server.terminals))
    server.enforcer = Enforcer(server.world)
    await made(server)
    await server.live(31)
    assert await state(server) == ("stopped", "idle:30m")
    assert [letter.level for letter in server.terminals.letters] == [Level.WARNING, Level.LAST, Level.NOTICE]


async def test_the_record_says_of_every_channel_why_it_reached_nobody(
    server: SimServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "CHANNEL_SECONDS", 0.0)
    mail, hook, file = SimChannel("mail"), SimChannel("webhook"), SimChannel("workspace", proves=False)
    odd = SimChannel("odd", fault=IndexError("string index out of range"))
    server.world = replace(server.world, channels=(server.terminals, mail, hook, file, odd, SimChannel("shells")))
    server.enforcer = Enforcer(server.world)
    await server.books(lambda books: books.put_preferences(
        Preferences(uid=ALICE.uid, epoch=1, off=frozenset({"shells"}))
    ))  # fmt: skip
    container = await made(server)
    assert container.epoch == 1
    server.terminals.open, mail.broken, hook.hangs = False, True, True
    await server.live(16)
    found = await server.world.ledger.read(lambda books: books.events(subject=container.id))
    (event,) = [event for event in found if event.type is EventType.NOTICE_UNDELIVERED]
    assert event.details["why"].split("; ") == [
        "terminals: nobody is there", "mail: The channel is broken. a test says so", "webhook: no answer within 0 s",
        "workspace: only in alice here, where nobody may look", "odd: a mistake of DS01's (IndexError)",
        "shells: turned off by her",
    ]  # fmt: skip


async def test_whoever_comes_back_in_that_time_gets_the_whole_lead(server: SimServer) -> None:
    await made(server)
    server.terminals.broken = True
    await server.live(40)
    server.terminals.broken = False
    await server.live(14)
    assert (await state(server))[0] == "running"
    await server.live(3)
    assert (await state(server))[0] == "stopped"


async def test_a_ds01d_that_was_down_for_an_hour_surprises_nobody(server: SimServer) -> None:
    await made(server)
    await server.live(25)
    server.restart()
    await server.clock.advance(3600)
    await server.live(1)
    assert (await state(server))[0] == "running"
    before = len(titles(server))
    await server.live(28.5)
    assert ((await state(server))[0], len(titles(server)) - before) == ("running", 2)
    await server.live(1.5)
    assert (await state(server))[0] == "stopped"


async def down_for_an_hour(server: SimServer) -> int:
    """ds01d is killed and comes back; how much was told before."""
    before = len(titles(server))
    server.restart()
    await server.clock.advance(3600)
    return before


async def test_a_runtime_that_ended_while_ds01d_was_down_is_told_first(server: SimServer) -> None:
    server.policy.settings = settings(runtime=timedelta(hours=2), idle=None)
    await made(server)
    await server.live(HOUR)
    before = await down_for_an_hour(server)
    await server.live(14.5)
    assert ((await state(server))[0], titles(server)[before:]) == ("running", [
        "thesis stops at 11:45 UTC, in 15 minutes: its time is over",
        "thesis stops at 11:45 UTC, in 5 minutes: its time is over",
    ])  # fmt: skip
    await server.live(1)
    assert (await state(server))[0] == "stopped"


async def test_a_pause_of_before_a_restart_is_told_anew_and_has_its_whole_time(server: SimServer) -> None:
    await made(server)
    await pause(server.world, await server.caller(), "thesis")
    await server.live(26)
    assert len(titles(server)) == 2
    before = await down_for_an_hour(server)
    await server.live(14)
    assert ((await state(server))[0], len(titles(server)) - before) == ("paused", 0)
    await server.live(15)
    assert ((await state(server))[0], len(titles(server)) - before) == ("paused", 2)
    await server.live(2)
    assert await state(server) == ("stopped", "idle:30m, paused")


@pytest.mark.parametrize("down_before", [timedelta(days=3), timedelta(days=6, hours=12)])
async def test_a_hold_that_ended_while_ds01d_was_down_is_told_a_day_before(
    server: SimServer, down_before: timedelta
) -> None:
    """Whether it was told before or not: the hold itself counts on, and nothing goes unwarned."""
    server.policy.settings = settings(container_hold=timedelta(days=7))
    await made(server)
    await stop(server.world, await server.caller(), "thesis")
    await server.live(down_before / timedelta(minutes=1), look_seconds=1800)
    server.restart()
    before = len(titles(server))
    await server.clock.advance(5 * 24 * 3600)
    await server.live(23.5 * HOUR, look_seconds=1800)
    assert (await server.container() is not None, len(titles(server)) - before) == (True, 1)
    await server.live(1.5 * HOUR, look_seconds=1800)
    assert await server.container() is None
    assert titles(server)[-1].startswith("thesis was removed at ")


async def standing(server: SimServer) -> tuple[int, int]:
    """How many warnings stand, and how many of them reached nobody, as the metrics say."""
    told = dict(line.rsplit(" ", 1) for line in (await exposition(server.world)).splitlines() if line[0] != "#")
    return int(told["ds01_notices_open"]), int(told["ds01_notices_undelivered"])


async def said(server: SimServer) -> list[tuple[str, bool]]:
    found = await server.world.ledger.read(lambda books: books.notices(ALICE.uid, ended=True))
    return [(notice.level.value, notice.open) for notice in found]


@pytest.mark.parametrize("heard", [True, False])
async def test_what_is_retired_is_warned_of_no_more(server: SimServer, heard: bool) -> None:
    await made(server)
    server.terminals.open = heard
    await server.live(20)
    assert await standing(server) == (1, 0 if heard else 1)
    await retire(server.world, await server.caller(), "thesis", RetireRequest())
    assert (await standing(server), await said(server)) == ((0, 0), [("warning", False)])
    await server.live(1)
    assert await standing(server) == (0, 0)


async def test_what_she_stopped_is_warned_of_no_more_and_what_was_done_waits_for_her(server: SimServer) -> None:
    server.terminals.open = False
    await made(server)
    await server.live(20)
    await stop(server.world, await server.caller(), "thesis")
    await server.live(1)
    assert (await standing(server), await said(server)) == ((0, 0), [("warning", False)])
    await server.launch()
    await server.live(80)
    assert (await state(server), await standing(server)) == (("stopped", "idle:30m"), (0, 0))
    await retire(server.world, await server.caller(), "thesis", RetireRequest())
    assert (await said(server))[-1] == ("notice", True)
    assert [notice.level for notice in await unseen(server.world, await server.caller())] == ["notice"]


async def test_a_warning_of_before_a_restart_ends_and_who_works_again_hears_no_more(server: SimServer) -> None:
    container = await made(server)
    await server.live(20)
    server.restart()
    server.meters.use(container.id, Use(cpus=4.0))
    await server.live(1)
    assert (await standing(server), await said(server)) == ((0, 0), [("warning", False)])
    await server.live(60)
    assert (await state(server), len(titles(server))) == (("running", ""), 1)


@pytest.mark.parametrize("looks", [0.0, 20.0])
async def test_warned_then_a_restart_then_retired_leaves_no_warning(server: SimServer, looks: float) -> None:
    await made(server)
    await server.live(20)
    server.restart()
    await server.live(looks)
    await retire(server.world, await server.caller(), "thesis", RetireRequest())
    assert await standing(server) == (0, 0)
    assert not any(still for _, still in await said(server))


async def test_a_warning_that_was_being_told_while_its_container_went_is_brought_to_nobody(server: SimServer) -> None:
    gone = await made(server)
    await retire(server.world, await server.caller(), "thesis", RetireRequest())
    about = deliver.Message(about=gone, rule=Rule.IDLE, level=Level.WARNING, title="thesis stops", text="")
    given = await deliver.give(server.world, ALICE, about)
    assert (given.notice.open, titles(server), await standing(server)) == (False, [], (0, 0))


class Asked(SimDirectory):
    """Keeps who was asked for."""

    asked: tuple[Uid, ...] = ()

    def by_uid(self, uid: Uid) -> User | None:
        self.asked += (uid,)
        return super().by_uid(uid)


async def test_that_an_account_is_gone_is_not_asked_at_every_look(server: SimServer) -> None:
    await server.launch()
    await server.launch(BOB, "other")
    directory = server.directory = Asked([ALICE])
    server.restart()
    await server.live(1 / 2)
    assert sorted(directory.asked) == [ALICE.uid, BOB.uid]
    directory.add(BOB)
    await server.live(1)
    assert sorted(directory.asked) == [ALICE.uid, ALICE.uid, BOB.uid, BOB.uid]


async def test_i5_a_clock_that_jumps_stops_nobody(server: SimServer) -> None:
    await made(server)
    await server.live(10)
    server.clock.jump(timedelta(hours=30))
    await server.live(4)
    assert titles(server) == []
    server.clock.jump(timedelta(hours=-60))
    await server.live(2)
    assert len(titles(server)) == 1


async def test_runtime_counts_over_restarts_and_ends_whoever_works(server: SimServer) -> None:
    server.policy.settings = settings(runtime=timedelta(hours=2), idle=None)
    await made(server)
    await server.live(HOUR)
    await stop(server.world, await server.caller(), "thesis")
    await server.clock.advance(5 * 3600)
    await server.launch()
    await server.live(15.5)
    assert titles(server)[0].endswith("in 30 minutes: its time is over")
    assert "It had run for 1h30m at 10:30 UTC, of the 2h that a container with a GPU may run, restarts included." in (
        server.terminals.letters[0].text
    )
    await server.live(15)
    assert await state(server) == ("stopped", "runtime:2h")


@pytest.mark.parametrize("bound", [False, True])
async def test_e8_without_a_gpu_it_runs_on_unless_its_group_may_not(server: SimServer, bound: bool) -> None:
    server.policy.settings = settings(runtime=timedelta(hours=2), runtime_without_gpu=bound)
    await server.launch(gpus="0")
    await server.live(1.8 * HOUR)
    assert len(titles(server)) == (1 if bound else 0)
    if bound:
        told = server.terminals.letters[0].text
        assert "of the 2h that a container may run, restarts included." in told
        assert "Then the container is kept for 7d; your files" in told
        await extend(server.world, await server.caller(), "thesis", 3600)
        await server.live(HOUR)
        assert await state(server) == ("running", "")
    await server.live(HOUR)
    assert await state(server) == (("stopped", "runtime:3h") if bound else ("running", ""))
    assert all("GPU" not in f"{letter.title} {letter.text}" for letter in server.terminals.letters)


async def test_what_somebody_planned_it_for_binds_her(server: SimServer) -> None:
    server.policy.settings = settings(idle=None)
    await server.launch(time_seconds=3600)
    await server.live(46)
    assert "that it was launched for" in server.terminals.letters[0].text
    await server.live(15)
    assert await state(server) == ("stopped", "runtime:1h")


async def test_an_engine_that_does_not_answer_keeps_no_warning_back(server: SimServer) -> None:
    container = await made(server)
    server.engine.faults.refuse_inspect = server.engine.spec(container.id).name
    await server.live(16)
    assert titles(server)[0].startswith("thesis stops at ")


async def test_paused_with_a_gpu_is_warned_and_stopped(server: SimServer) -> None:
    await made(server)
    await pause(server.world, await server.caller(), "thesis")
    await server.live(16)
    assert "ds01 unpause thesis" in server.terminals.letters[0].text
    await server.live(15)
    assert await state(server) == ("stopped", "idle:30m, paused")


async def test_a_touched_file_keeps_it_and_the_warning_comes_before_that_ends(server: SimServer) -> None:
    server.policy.settings = settings(runtime=None)
    await made(server)
    server.host.touches["/home/alice/workspace/thesis/.keep-alive"] = server.clock.now()
    await server.live(23 * HOUR, look_seconds=60)
    assert titles(server) == []
    await server.live(50, look_seconds=60)
    assert len(titles(server)) == 1
    await server.live(11)
    assert (await state(server))[0] == "stopped"


async def test_a_file_touched_after_the_warning_takes_it_back(server: SimServer) -> None:
    await made(server)
    await server.live(20)
    server.host.touches["/home/alice/workspace/thesis/.keep-alive"] = server.clock.now()
    await server.live(60)
    assert ((await state(server))[0], len(titles(server))) == ("running", 1)


async def test_on_stop_runs_first_and_how_it_went_is_told(server: SimServer) -> None:
    container = await made(server, on_stop="python save.py")
    server.engine.faults.exec_code = 3
    await server.live(31)
    assert server.engine.executed(container.id) == (("sh", "-c", "python save.py"),)
    assert "Its on_stop command failed with exit code 3." in server.terminals.letters[-1].text


async def test_whoever_ignores_sigterm_is_killed_and_told_so(server: SimServer) -> None:
    await made(server)
    server.engine.faults.ignores_term = True
    await server.live(31)
    assert "did not end within 1m and were killed" in server.terminals.letters[-1].text
    found = await server.world.ledger.read(lambda books: books.events(limit=50))
    (stopped,) = [event for event in found if event.type.value == "container.stopped"]
    assert stopped.details["killed"] == "60s"


async def test_a_container_hold_removes_it_after_a_word_and_notes_its_packages(server: SimServer) -> None:
    server.policy.settings = settings(container_hold=timedelta(days=7))
    container = await made(server)
    added = Change(kind="A", path="/usr/lib/python3/dist-packages/wandb-0.16.0.dist-info/METADATA")
    server.engine.write_layer(container.id, (added,), {})
    await stop(server.world, await server.caller(), "thesis")
    await server.live(6 * 24 * HOUR, look_seconds=1800)
    assert titles(server)[0].startswith("thesis is removed on ")
    await server.live(25 * HOUR, look_seconds=1800)
    assert await server.container() is None
    gone = await server.world.ledger.read(lambda books: books.named(ALICE.uid, "thesis", removed=True))
    assert gone is not None
    assert gone.state is ContainerState.REMOVED
    assert "Your files in /home/alice/workspace/thesis stay." in server.terminals.letters[-1].text
    assert await server.traces() == (0, 0, 0)


SITE = "/opt/ds01/env/lib/python3.11/site-packages"
LIST = "/home/alice/workspace/thesis/.ds01/suggested-packages.txt"


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"folder/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


async def fills(server: SimServer, container: Container) -> None:
    """By hand: requests by uv, which brings idna along; ffmpeg by apt, which brings libx264."""
    needs = {"requests-2.31.0": "Name: requests\nRequires-Dist: idna (<4,>=2.5)\n", "idna-3.6": "Name: idna\n"}
    changes = [Change(kind="A", path=f"{SITE}/{name}.dist-info/REQUESTED") for name in needs]
    changes += [Change(kind="A", path=f"/var/lib/dpkg/info/{name}.list") for name in ("ffmpeg", "libx264-164:amd64")]
    files = {f"{SITE}/{name}.dist-info": archive(INSTALLER="uv\n", METADATA=text) for name, text in needs.items()}
    files["/var/lib/apt/extended_states"] = archive(extended_states="Package: libx264-164\nAuto-Installed: 1\n")
    server.engine.write_layer(container.id, tuple(changes), files)


async def suggested(server: SimServer, container: Container) -> dict[str, str]:
    found = await server.world.ledger.read(lambda books: books.events(subject=container.id))
    (event,) = [event for event in found if event.type is EventType.PACKAGES_SUGGESTED]
    return dict(event.details)


async def test_p2_packages_added_by_hand_are_noted_in_the_workspace_before_a_hold_ends(server: SimServer) -> None:
    server.policy.settings = settings(container_hold=timedelta(days=7))
    container = await made(server)
    await fills(server, container)
    server.host.texts[LIST] = "requests==2.31.0\n"
    await stop(server.world, await server.caller(), "thesis")
    await server.live(8 * 24 * HOUR, look_seconds=1800)
    assert await server.container() is None
    assert server.host.texts[LIST] == "requests==2.31.0\nffmpeg  # apt\n"
    assert await suggested(server, container) == {
        "name": "thesis", "packages": "ffmpeg requests==2.31.0", "file": LIST,
    }  # fmt: skip
    told = server.terminals.letters[-1].text
    assert f"Packages you had added by hand are noted in {LIST}: ffmpeg requests==2.31.0." in told


async def test_a_workspace_that_cannot_be_written_keeps_no_container_and_the_notice_says_so(server: SimServer) -> None:
    server.policy.settings = settings(container_hold=timedelta(days=7))
    container = await made(server)
    await fills(server, container)
    await stop(server.world, await server.caller(), "thesis")
    server.host.take("/home/alice/workspace/thesis")
    await server.live(8 * 24 * HOUR, look_seconds=1800)
    assert await server.container() is None
    problem = f"'{LIST}' was not written: no such file or directory."
    assert (await suggested(server, container))["problem"] == problem
    told = server.terminals.letters[-1].text
    assert f"Packages you had added by hand: ffmpeg requests==2.31.0. {problem}" in told


async def test_a_container_that_was_never_started_goes_and_gives_its_gpu_back(server: SimServer) -> None:
    await server.launch(create_only=True)
    await server.live(29)
    assert await server.container() is not None
    await server.live(2)
    assert await server.container() is None
    assert await server.leases() == ()


async def test_an_admins_stop_is_not_overruled(server: SimServer) -> None:
    await made(server)
    await server.live(29.5)
    await stop(server.world, await server.caller(), "thesis")
    await server.live(3)
    assert await state(server) == ("stopped", "user:")


async def remembered(server: SimServer) -> dict[str, int]:
    """How much ds01d keeps of what it looks at, and how many notices are still true."""
    memory, enforcer = server.world.memory, server.enforcer
    account, known = enforcer._account, memory._known.values()
    sizes = {
        "containers": len(memory._known), "looks": sum(len(each.history) for each in known),
        "said": sum(len(each.said) + len(each.standing) for each in known),
        "begun": sum(len(each.begun) for each in known), "people": len(memory.people), "joules": len(memory.joules),
        "lines": len(account._lines) + len(account._pending),
        "meters": len(account._readings) + len(account._seen_gpus),
        "tasks": len(enforcer._tasks), "owners": len(enforcer._owners),
    }  # fmt: skip
    notices = await server.world.ledger.read(lambda books: books.notices(limit=100_000))
    return {**sizes, "notices": len(notices)}


async def comes_and_goes(server: SimServer) -> None:
    """A day: four containers of two people, each worked in, left, stopped for idling and retired; notices are read."""
    for user in (ALICE, BOB, ALICE, BOB):
        made = await server.launch(user, project="today")
        server.meters.use(made.id, Use(cpus=1.0))
        await server.live(2 * HOUR, look_seconds=1800)
        server.meters.use(made.id, Use())
        await server.live(4 * HOUR, look_seconds=1800)
        assert (await existing(server, "today", user)).state is ContainerState.STOPPED
        await retire(server.world, await server.caller(user), "today", RetireRequest())
    for user in (ALICE, BOB):
        await unseen(server.world, await server.caller(user))
    await server.live(30, look_seconds=1800)


async def test_memory_stays_flat_over_a_month(server: SimServer) -> None:
    server.policy.settings = settings(runtime=None)
    long = await server.launch()
    server.meters.use(long.id, Use(cpus=1.0))
    for _ in range(3):
        await comes_and_goes(server)
    early = await remembered(server)
    for _ in range(27):
        await comes_and_goes(server)
    assert await remembered(server) == early
    assert (early["containers"], early["tasks"], early["notices"]) == (1, 0, 0)
    watched = server.world.memory.get(long.id)
    assert watched is not None
    assert len(watched.history) == watched.history.maxlen == early["looks"]
    stops = await server.world.ledger.read(lambda books: books.events(types=(EventType.CONTAINER_STOPPED,), limit=1000))
    assert [event.details["reason"] for event in stops] == ["idle"] * 120


async def test_more_time_that_is_given_while_a_stop_waits_for_its_turn_counts(server: SimServer) -> None:
    judged = await server.launch()
    user, limits = (await server.caller()).user, (await server.caller()).limits
    due = Due(rule=Rule.RUNTIME, act=Act.STOP, left=timedelta(0), limit=timedelta(0), lead=timedelta(0))
    async with server.world.locks.hold(judged.uid, judged.name, "extend"):
        stopping = asyncio.create_task(act.stop(server.world, user, limits, judged, due))
        await asyncio.sleep(0)
        longer = replace(judged, extended=timedelta(hours=1))
        await server.books(lambda books: books.put_container(longer))
    assert await stopping is None
    found = await server.container()
    assert found is not None
    assert found.state is ContainerState.RUNNING
    assert await act.stop(server.world, user, limits, found, due) is not None
