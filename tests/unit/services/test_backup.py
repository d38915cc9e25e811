"""Who may have the ledger copied, and where to: ds01d writes as root, so nobody leads it elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ds01.adapters.sql.ledger import SqlLedger
from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, LEDGER_ERROR, Ds01Error, ErrorKind
from ds01.domain.events import EventType
from ds01.domain.limits import Group, Sourced
from ds01.domain.people import User
from ds01.ports.facts import FileFacts
from ds01.services.backup import back_up
from ds01.sim.facts import SimFacts
from ds01.wire.admin import BackupRequest, BackupView
from tests.server import ALICE, BOB, ROOT, SimServer

ROOTS = FileFacts(kind="folder", owner_uid=0, group="root", mode=0o755)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[SimServer]:
    """With a ledger on the disk, on a server whose folders are root's; Alice is an admin."""
    state = tmp_path / "state"
    state.mkdir()
    made = SimServer(run=state, ledger=SqlLedger(state / "ledger.db"))
    admins = Group(name="admins", members=frozenset({"alice"}), layer={"admin": Sourced(value=True, source="x:1")})
    policy = made.policy.settings.policy
    made.policy.settings = replace(
        made.policy.settings, policy=replace(policy, groups=(admins, *policy.groups))
    )  # fmt: skip
    facts = facts_of(made)
    facts.files |= {str(folder): ROOTS for folder in (state, *state.parents, tmp_path / "root")}
    (tmp_path / "root").mkdir()
    yield await made.open()
    await made.ledger.close()


def facts_of(server: SimServer) -> SimFacts:
    found = server.world.facts
    assert isinstance(found, SimFacts)
    return found


async def made(server: SimServer, path: str = "", user: User = ROOT) -> BackupView:
    return await back_up(server.world, await server.caller(user), BackupRequest(path=path))


async def refused(server: SimServer, kind: ErrorKind, path: str, user: User = ROOT) -> str:
    with pytest.raises(Ds01Error) as caught:
        await made(server, path, user)
    assert caught.value.kind is kind, caught.value.problem
    return str(caught.value)


async def test_an_admins_copy_goes_beside_the_ledger_and_is_on_record(server: SimServer) -> None:
    view = await made(server, user=ALICE)
    assert view.path == str(server.run / "backups" / f"ledger-{server.clock.now():%Y%m%dT%H%M%SZ}.db")
    assert Path(view.path).stat().st_size == view.size_bytes
    (event,) = await server.ledger.read(lambda books: books.events(types=(EventType.LEDGER_BACKED_UP,)))
    assert (event.actor, event.subject) == (ALICE.uid, view.path)
    assert json.loads(event.details["events"]) == view.events
    assert (await made(server, "before-friday", ALICE)).path == str(server.run / "backups/before-friday")


async def test_root_says_where(server: SimServer, tmp_path: Path) -> None:
    assert (await made(server, str(tmp_path / "root/ledger.bak"))).path == str(tmp_path / "root/ledger.bak")
    assert "already" in await refused(server, BAD_REQUEST, str(tmp_path / "root/ledger.bak"))


async def test_nobody_else_does(server: SimServer, tmp_path: Path) -> None:
    for path in (str(tmp_path / "root/x"), "/etc/cron.d/x", "../x", "a/b"):
        assert "Only root" in await refused(server, ADMIN_ONLY, path, ALICE)
    await refused(server, ADMIN_ONLY, "", BOB)
    assert not (server.run / "backups").exists()


@pytest.mark.parametrize("path", ["a/b", "/root/../etc/x", "/root/a\nb", ".", "-x", "/"])
async def test_a_path_that_says_nothing_whole(server: SimServer, path: str) -> None:
    await refused(server, BAD_REQUEST, path)


@pytest.mark.parametrize("change", [{"owner_uid": 1001}, {"mode": 0o777}, {"mode": 0o775}, {"kind": "file"}])
async def test_a_folder_that_others_could_change_is_refused_wherever_on_the_way(
    server: SimServer, tmp_path: Path, change: dict[str, int | str]
) -> None:
    for folder in (tmp_path / "root", tmp_path):
        facts_of(server).files[str(folder)] = replace(ROOTS, **change)  # type: ignore[arg-type]
        await refused(server, BAD_REQUEST, str(tmp_path / "root/ledger.bak"))
        facts_of(server).files[str(folder)] = ROOTS
    assert list((tmp_path / "root").iterdir()) == []
    facts_of(server).files[str(tmp_path)] = replace(ROOTS, mode=0o1777)  # what is root's there, others cannot move
    assert (await made(server, str(tmp_path / "root/ledger.bak"))).size_bytes > 0


async def test_a_folder_that_is_not_there(server: SimServer, tmp_path: Path) -> None:
    assert "no folder" in await refused(server, BAD_REQUEST, str(tmp_path / "none/ledger.bak"))


async def test_a_ledger_in_memory_has_nothing_to_copy(tmp_path: Path) -> None:
    server = await SimServer(run=tmp_path).open()
    facts_of(server).files |= {str(folder): ROOTS for folder in (tmp_path, *tmp_path.parents)}
    await refused(server, LEDGER_ERROR, "")
