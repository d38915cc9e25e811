"""A GPU fails while somebody has it: she is told once, her container is left alone, and its next start gets another."""

from __future__ import annotations

from ds01.domain.container import ContainerState
from ds01.domain.lease import LeaseState
from ds01.domain.notice import Notice
from ds01.services.gpu_round import look_at_gpus
from ds01.services.start import start
from ds01.services.steps import Steps
from ds01.services.stop import stop
from ds01.services.why import why
from tests.server import ALICE, BOB, SimServer


async def notices(server: SimServer) -> tuple[Notice, ...]:
    return await server.ledger.read(lambda books: books.notices(ALICE.uid))


async def told(server: SimServer) -> list[str]:
    return [letter.title for letter in server.terminals.letters]


async def test_its_holder_is_told_once_and_reads_it_in_its_story(server: SimServer) -> None:
    await server.launch()
    await server.launch(BOB, "one")
    (lease,) = [lease for lease in await server.leases() if lease.uid == ALICE.uid]
    slots = await server.ledger.read(lambda books: {slot.id: slot for slot in books.slots()})
    index = slots[lease.slots[0]].gpu_index
    server.devices.break_slot(str(index), "Xid 79")
    for _ in range(3):
        await look_at_gpus(server.world)
    assert await told(server) == [f"the GPU of thesis failed (GPU {index})"]
    assert server.terminals.letters[0].user == ALICE
    assert "Xid 79" in server.terminals.letters[0].text
    story = await why(server.ledger, uid=ALICE.uid, epoch=1, name="thesis", viewer=ALICE.uid)
    assert any(f"the GPU of thesis failed (GPU {index}): Xid 79" in entry.what for entry in story.entries)
    found = await server.container()
    assert found is not None
    assert found.state is ContainerState.RUNNING


async def test_after_it_stopped_nothing_is_held_and_a_start_gets_another(server: SimServer) -> None:
    await server.launch()
    (before,) = await server.leases()
    slots = await server.ledger.read(lambda books: {slot.id: slot for slot in books.slots()})
    server.devices.lose(slots[before.slots[0]].gpu_index)
    await look_at_gpus(server.world)
    await stop(server.world, await server.caller(), "thesis")
    await look_at_gpus(server.world)
    ended = await server.ledger.read(lambda books: books.lease(before.id))
    assert ended is not None
    assert ended.state is LeaseState.REVOKED
    assert "its GPU failed" in ended.reason
    await start(server.world, await server.caller(), "thesis", Steps(server.clock))
    (again,) = await server.leases()
    assert again.slots != before.slots


async def test_when_it_works_again_the_word_is_taken_back_and_said_anew_the_next_time(server: SimServer) -> None:
    await server.launch()
    (lease,) = await server.leases()
    slots = await server.ledger.read(lambda books: {slot.id: slot for slot in books.slots()})
    index = str(slots[lease.slots[0]].gpu_index)
    for _ in range(2):
        server.devices.break_slot(index, "95 °C hot")
        await look_at_gpus(server.world)
        assert [notice.open for notice in await notices(server)].count(True) == 1
        server.devices.mend(index)
        await look_at_gpus(server.world)
        assert not any(notice.open for notice in await notices(server))
    assert len(await told(server)) == 2
