"""GPUs out of service: drained by an admin, divided anew, used by somebody outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ds01.adapters.nvml.devices import NvmlDevices
from ds01.domain.container import ContainerId
from ds01.domain.errors import ADMIN_ONLY, BAD_REQUEST, GPU_DIVIDE, GPU_FULL, GPU_USED, NO_GPU, Ds01Error, ErrorKind
from ds01.domain.events import EventType
from ds01.domain.gpu import SlotId
from ds01.domain.gpu_ask import GpuAsk
from ds01.domain.quarantine import Keeper
from ds01.domain.queue.booking import Booking, BookingId, BookingState
from ds01.domain.queue.request import Request, RequestId
from ds01.ports.facts import ProcessFacts
from ds01.services import lease as leases
from ds01.services import mig
from ds01.services.account import account
from ds01.services.caller import Caller
from ds01.services.drain import drain, undrain
from ds01.services.gpu_round import look_at_gpus
from ds01.sim.devices import SimDevices
from ds01.sim.script import Load
from ds01.wire.mig import DrainRequest
from tests.nvml import DIVISIBLE, State, a100
from tests.unit.services.test_inventory import Lab
from tests.values import ALICE, NOW, limits


@pytest.fixture
async def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path)
    await made.ledger.write(lambda books: account(books, ALICE, NOW))
    await look_at_gpus(made.world)
    return made


def caller(*, admin: bool = True) -> Caller:
    return Caller(user=ALICE, epoch=1, limits=limits(admin=admin), actor=ALICE.uid, actor_login=ALICE.login)


async def reasons(lab: Lab) -> dict[str, str]:
    return {str(slot): text for slot, text in (await lab.ledger.read(lambda books: books.quarantined())).items()}


async def refused(lab: Lab, text: str, *, admin: bool = True) -> tuple[ErrorKind, str]:
    with pytest.raises(Ds01Error) as error:
        await mig.apply(lab.world, caller(admin=admin), text)
    return error.value.kind, error.value.problem.reason


def gpu(lab: Lab, index: int) -> SlotId:
    return lab.devices.inventory()[index].uuid


class TestDrain:
    async def test_nobody_new_is_placed_there_and_who_is_there_stays(self, lab: Lab) -> None:
        await lab.grant()
        view = await drain(lab.world, caller(), DrainRequest(slot="0", reason="fan"))
        assert view.slots == ("0",)
        assert view.still_there == (f"{ALICE.login}'s thesis (reserved)",)
        assert await lab.grant() == gpu(lab, 1)
        with pytest.raises(Ds01Error) as full:
            await lab.grant()
        assert full.value.kind is GPU_FULL
        await undrain(lab.world, caller(), DrainRequest(slot="0"))
        assert await reasons(lab) == {}
        assert [
            kind for kind in await lab.told() if kind.value.startswith("slot.")
        ] == [EventType.SLOT_QUARANTINED, EventType.SLOT_RETURNED]  # fmt: skip

    async def test_what_the_driver_says_stands_beside_it(self, lab: Lab) -> None:
        await drain(lab.world, caller(), DrainRequest(slot="1"))
        lab.devices.break_slot("1", "Xid 79")
        await look_at_gpus(lab.world)
        assert await reasons(lab) == {gpu(lab, 1): f"Xid 79; drained by {ALICE.login}"}
        view = await undrain(lab.world, caller(), DrainRequest(slot="1"))
        assert view.reasons == ("Xid 79",)
        lab.devices.mend("1")
        await look_at_gpus(lab.world)
        assert await reasons(lab) == {}

    async def test_one_instance_by_its_label_when_only_one_has_it(self, lab: Lab) -> None:
        await mig.apply(lab.world, caller(), "0: 3g.20gb 2g.10gb 2g.10gb")
        view = await drain(lab.world, caller(), DrainRequest(slot="0:3g.20gb"))
        assert view.slots == ("0:3g.20gb",)
        with pytest.raises(Ds01Error, match="2 slots") as error:
            await drain(lab.world, caller(), DrainRequest(slot="0:2g.10gb"))
        assert error.value.kind is NO_GPU
        assert (await undrain(lab.world, caller(), DrainRequest(slot="0"))).reasons == ()

    async def test_all_of_them_at_once_and_back(self, lab: Lab) -> None:
        await lab.grant()
        await mig.apply(lab.world, caller(), "1: 3g.20gb 2g.10gb 2g.10gb")
        view = await drain(lab.world, caller(), DrainRequest(slot="all", reason="new driver on Friday"))
        assert view.slots == ("0", "1:3g.20gb", "1:2g.10gb", "1:2g.10gb")
        assert view.still_there == (f"{ALICE.login}'s thesis (reserved)",)
        with pytest.raises(Ds01Error) as full:
            await lab.grant()
        assert full.value.kind is GPU_FULL
        assert set(await reasons(lab)) == {gpu(lab, 0), gpu(lab, 1)}
        assert (await undrain(lab.world, caller(), DrainRequest(slot="all"))).reasons == ()
        assert await reasons(lab) == {}
        by_hand = (EventType.SLOT_QUARANTINED, EventType.SLOT_RETURNED)
        told = [kind for kind in await lab.told() if kind in by_hand]
        assert told == [EventType.SLOT_QUARANTINED] * 2 + [EventType.SLOT_RETURNED] * 2

    async def test_undrain_all_ends_every_admins_word_and_no_other(self, lab: Lab) -> None:
        await mig.apply(lab.world, caller(), "0: 3g.20gb 2g.10gb 2g.10gb")
        await drain(lab.world, caller(), DrainRequest(slot="0:3g.20gb"))
        lab.devices.break_slot("1", "Xid 79")
        await look_at_gpus(lab.world)
        assert (await undrain(lab.world, caller(), DrainRequest(slot="all"))).reasons == ("Xid 79",)
        assert await reasons(lab) == {gpu(lab, 1): "Xid 79"}
        told = [kind for kind in await lab.told() if kind is EventType.SLOT_RETURNED]
        assert len(told) == 1

    @pytest.mark.parametrize("slot", ["7", "", "GPU-nothing"])
    async def test_one_that_is_not_there(self, lab: Lab, slot: str) -> None:
        with pytest.raises(Ds01Error) as error:
            await drain(lab.world, caller(), DrainRequest(slot=slot))
        assert error.value.kind is NO_GPU

    async def test_only_by_admins(self, lab: Lab) -> None:
        for act in (drain, undrain):
            with pytest.raises(Ds01Error) as error:
                await act(lab.world, caller(admin=False), DrainRequest(slot="0"))
            assert error.value.kind is ADMIN_ONLY


def cannot_divide(devices: SimDevices, stuck: SlotId) -> Callable[[SlotId, Sequence[str] | None], None]:
    """``divide`` of these devices, which one card refuses."""
    divide = devices.divide

    def refusing(card: SlotId, profiles: Sequence[str] | None) -> None:
        if card == stuck:
            raise Ds01Error(GPU_DIVIDE, "a hand is needed")
        divide(card, profiles)

    return refusing


class TestMig:
    async def test_a_free_gpu_is_divided_and_offered(self, lab: Lab) -> None:
        view = await mig.apply(lab.world, caller(), "1: 3g.20gb 2g.10gb 2g.10gb")
        assert [(each.index, each.now, each.changes) for each in view.gpus] == [(1, "3g.20gb 2g.10gb 2g.10gb", False)]
        assert await lab.labels() == ["0", "1:3g.20gb", "1:2g.10gb", "1:2g.10gb"]
        assert await reasons(lab) == {}
        assert EventType.GPU_DIVIDED in await lab.told()

    async def test_a_plan_is_shown_and_nothing_changes(self, lab: Lab) -> None:
        await lab.grant()
        view = await mig.show(lab.world, caller(), "0: 7x1g.5gb; 1: off")
        assert [(each.index, each.changes, each.in_the_way) for each in view.gpus] == [
            (0, True, (f"{ALICE.login}'s thesis (reserved)",)), (1, False, ())
        ]  # fmt: skip
        assert await lab.labels() == ["0", "1"]

    async def test_one_in_use_is_refused_and_nothing_is_begun(self, lab: Lab) -> None:
        await lab.grant()
        kind, reason = await refused(lab, "1: 7x1g.5gb; 0: 7x1g.5gb")
        assert kind is GPU_USED
        assert "thesis" in reason
        assert await lab.labels() == ["0", "1"]
        assert await reasons(lab) == {}

    async def test_one_with_a_process_is_refused(self, lab: Lab) -> None:
        lab.devices.set_load("1", Load(processes=((4711, 2**20),)))
        kind, reason = await refused(lab, "1: 7x1g.5gb")
        assert (kind, reason) == (GPU_USED, "On it: process 4711.")

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("1: 4g.20gb 4g.20gb", GPU_DIVIDE), ("1: 9g.90gb", BAD_REQUEST), ("5: off", BAD_REQUEST),
            ("what", BAD_REQUEST), ("divided in two", BAD_REQUEST), ("", BAD_REQUEST),
        ],
    )  # fmt: skip
    async def test_impossible_plans_are_refused_before_anything_is_touched(
        self, lab: Lab, text: str, kind: ErrorKind
    ) -> None:
        assert (await refused(lab, f"0: 7x1g.5gb; {text}" if text else ""))[0] is kind
        assert await lab.labels() == ["0", "1"]

    async def test_only_by_admins(self, lab: Lab) -> None:
        assert (await refused(lab, "1: off", admin=False))[0] is ADMIN_ONLY

    async def test_after_a_reboot_it_is_divided_again_with_the_same_instances(self, lab: Lab) -> None:
        await mig.apply(lab.world, caller(), "1: 3g.20gb 2g.10gb")
        before = await lab.ledger.read(lambda books: [slot.id for slot in books.slots()])
        lab.devices.repartition(1, "a100-40gb")
        await look_at_gpus(lab.world)
        assert await lab.ledger.read(lambda books: [slot.id for slot in books.slots()]) == before

    async def test_what_is_booked_or_waited_for_keeps_its_kind(self, lab: Lab) -> None:
        """A booking of the only two whole GPUs, and one who waits for a whole GPU: each of them is in the way."""
        booking = Booking(
            id=BookingId("b1"), uid=ALICE.uid, epoch=1, name="", ask=GpuAsk(count=2, profile="full"),
            begins_at=NOW + timedelta(hours=1), ends_at=NOW + timedelta(hours=2), uids=frozenset({ALICE.uid}),
        )  # fmt: skip
        await lab.ledger.write(lambda books: books.put_booking(booking))
        said = f"{ALICE.login}'s booking of 2 x whole GPU from Mon 02 Mar 10:00"
        view = await mig.show(lab.world, caller(), "1: 7x1g.5gb")
        assert [each.in_the_way for each in view.gpus] == [(said,)]
        assert await refused(lab, "1: 7x1g.5gb") == (
            GPU_USED, f"There would not be enough of its kind for {said}."
        )  # fmt: skip
        assert (await lab.labels(), await reasons(lab)) == (["0", "1"], {})
        await lab.ledger.write(lambda books: books.put_booking(replace(booking, state=BookingState.CANCELLED)))
        waits = Request(
            id=RequestId("r1"), uid=ALICE.uid, epoch=1, name="big", ask=GpuAsk(count=2, profile="full"),
            submitted_at=NOW,
        )  # fmt: skip
        await lab.ledger.write(lambda books: books.put_request(waits))
        assert f"{ALICE.login}'s big (waits for --gpus full)" in (await refused(lab, "0: 7x1g.5gb"))[1]
        view = await mig.show(lab.world, caller(), "0: off")
        assert [(each.changes, each.in_the_way) for each in view.gpus] == [(False, ())]

    async def test_a_look_meanwhile_divides_nothing_back(self, lab: Lab) -> None:
        await mig.apply(lab.world, caller(), "0: 7g.40gb; 1: 7g.40gb")

        async def looks() -> None:
            for _ in range(20):
                await look_at_gpus(lab.world)

        await asyncio.gather(mig.apply(lab.world, caller(), "0: 3g.20gb 3g.20gb; 1: 3g.20gb 3g.20gb"), looks())
        assert await lab.labels() == ["0:3g.20gb", "0:3g.20gb", "1:3g.20gb", "1:3g.20gb"]
        before = [kind for kind in await lab.told() if kind is EventType.GPU_DIVIDED]
        assert len(before) == 4

    async def test_what_forgot_its_division_under_a_lease_waits(self, lab: Lab) -> None:
        await mig.apply(lab.world, caller(), "0: 7g.40gb; 1: 7g.40gb")
        lab.devices.repartition(1, "a100-40gb")
        lab.devices.repartition(0, "a100-40gb")
        lab.devices.set_load("1", Load(processes=((4711, 2**20),)))
        await look_at_gpus(lab.world)
        assert await lab.labels() == ["0:7g.40gb", "1"]
        lab.devices.set_load("1", Load())
        await look_at_gpus(lab.world)
        assert await lab.labels() == ["0:7g.40gb", "1:7g.40gb"]

    async def test_a_lease_of_an_instance_that_is_gone_gets_it_back(self, lab: Lab) -> None:
        """A simulated GPU forgets with ds01d, a card with the machine: neither may keep ds01d from starting."""
        await mig.apply(lab.world, caller(), "1: 2g.10gb 2g.10gb")
        slot = await lab.grant()
        lab.devices.repartition(1, "a100-40gb")
        await look_at_gpus(lab.world)
        assert await lab.labels() == ["0", "1:2g.10gb", "1:2g.10gb"]
        assert await lab.ledger.read(lambda books: [lease.slots for lease in books.open_leases()]) == [(slot,)]

    async def test_one_that_cannot_be_divided_again_keeps_no_other_from_it_and_ends_no_look(
        self, lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await mig.apply(lab.world, caller(), "0: 3g.20gb 3g.20gb; 1: 3g.20gb 3g.20gb")
        for index in (0, 1):
            lab.devices.repartition(index, "a100-40gb")
        monkeypatch.setattr(lab.devices, "divide", cannot_divide(lab.devices, gpu(lab, 0)))
        lab.devices.set_load("1:3g.20gb", Load(processes=((4711, 2**20),)))
        lab.world.facts.running[4711] = ProcessFacts(command="python", user="bob", cgroup="0::/user.slice")  # type: ignore[attr-defined]
        with pytest.raises(Ds01Error, match="a hand is needed"):
            await look_at_gpus(lab.world)
        assert await lab.labels() == ["0", "1:3g.20gb", "1:3g.20gb"]
        assert set((await reasons(lab)).values()) == {"in use outside DS01 by python of bob (process 4711)"}

    async def test_a_division_that_failed_leaves_it_in_service(self, lab: Lab) -> None:
        with pytest.raises(Ds01Error) as error:
            lab.devices.divide(gpu(lab, 0), ["9g.90gb"])
        assert error.value.kind is GPU_DIVIDE
        await lab.ledger.write(lambda books: books.quarantine(gpu(lab, 0), Keeper.MIG, "it is being divided"))
        await mig.lift(lab.world)
        assert await reasons(lab) == {}


@pytest.mark.gcc
class TestMigByTheDriver:
    """The same with NVIDIA's library, a stand-in that answers as told."""

    @pytest.fixture
    def state(self, tmp_path: Path) -> State:
        made = State(tmp_path / "nvml", {"driver": {"loaded": 1}})
        for index in range(2):
            made.set(f"gpu {index}", **a100(index, profile=DIVISIBLE))
        made.use()
        return made

    @pytest.fixture
    async def lab(self, tmp_path: Path, state: State) -> AsyncIterator[Lab]:
        driver = NvmlDevices(sysfs=tmp_path / "sys")
        made = Lab(tmp_path, driver)
        await made.ledger.write(lambda books: account(books, ALICE, NOW))
        await look_at_gpus(made.world)
        yield made
        driver.close()

    async def test_a_free_gpu_is_divided_and_joined_again(self, lab: Lab) -> None:
        await mig.apply(lab.world, caller(), "1: 3g.20gb 2g.10gb 2g.10gb")
        assert await lab.labels() == ["0", "1:3g.20gb", "1:2g.10gb", "1:2g.10gb"]
        await look_at_gpus(lab.world)
        view = await mig.apply(lab.world, caller(), "1: off")
        assert [(each.now, each.changes) for each in view.gpus] == [("off", False)]
        assert (await lab.labels(), await reasons(lab)) == (["0", "1"], {})

    @pytest.mark.parametrize("question", ["process", "graphics"])
    async def test_one_whose_processes_cannot_be_read_is_not_proven_free(
        self, lab: Lab, state: State, question: str
    ) -> None:
        state.set("gpu 1", unknown=question)
        with pytest.raises(Ds01Error, match="cannot be proven free") as error:
            await mig.apply(lab.world, caller(), "1: 3g.20gb 3g.20gb")
        assert error.value.kind is GPU_USED
        view = await mig.show(lab.world, caller(), "1: 3g.20gb 3g.20gb")
        assert view.gpus[0].in_the_way == ("processes that the driver does not tell",)
        assert (await lab.labels(), await reasons(lab)) == (["0", "1"], {})
        state.set("gpu 1", unknown=None)
        await mig.apply(lab.world, caller(), "1: 3g.20gb 3g.20gb")
        assert await lab.labels() == ["0", "1:3g.20gb", "1:3g.20gb"]

    async def test_a_part_that_cannot_be_read_keeps_the_whole_card(self, lab: Lab, state: State) -> None:
        state.set("gpu 1", mig=1)
        for place, more in enumerate(({}, {"unknown": "process"})):
            name = "NVIDIA A100-SXM4-40GB MIG 3g.20gb"
            state.set(
                f"mig 1 {place}", uuid=f"MIG-{place}", name=name, gi_slices=3, ci_slices=3, memory_mib=20480, **more
            )
        await look_at_gpus(lab.world)
        with pytest.raises(Ds01Error, match="cannot be proven free"):
            await mig.apply(lab.world, caller(), "1: off")
        assert await lab.labels() == ["0", "1:3g.20gb", "1:3g.20gb"]

    async def test_after_a_reboot_it_is_not_divided_before_it_is_proven_free(self, lab: Lab, state: State) -> None:
        await mig.apply(lab.world, caller(), "1: 3g.20gb 3g.20gb")
        state.set("gpu 1", unknown="process")
        await look_at_gpus(lab.world)
        assert await lab.labels() == ["0", "1"]
        state.set("gpu 1", unknown=None)
        await look_at_gpus(lab.world)
        assert await lab.labels() == ["0", "1:3g.20gb", "1:3g.20gb"]

    async def test_one_in_use_and_one_promised_are_left_alone(self, lab: Lab) -> None:
        await lab.grant()
        assert (await refused(lab, "0: 3g.20gb 3g.20gb"))[0] is GPU_USED
        waits = Request(
            id=RequestId("r1"), uid=ALICE.uid, epoch=1, name="big", ask=GpuAsk(count=2, profile="full"),
            submitted_at=NOW,
        )  # fmt: skip
        await lab.ledger.write(lambda books: books.put_request(waits))
        assert "alice's big" in (await refused(lab, "1: 3g.20gb 3g.20gb"))[1]
        assert await lab.labels() == ["0", "1"]


class TestForeign:
    async def test_a_process_outside_keeps_the_slot_free_until_it_is_gone(self, lab: Lab) -> None:
        lab.devices.set_load("0", Load(processes=((4711, 2**20),)))
        lab.world.facts.running[4711] = ProcessFacts(command="python", user="bob", cgroup="0::/user.slice")  # type: ignore[attr-defined]
        await look_at_gpus(lab.world)
        await look_at_gpus(lab.world)
        assert await reasons(lab) == {gpu(lab, 0): "in use outside DS01 by python of bob (process 4711)"}
        assert await lab.grant() == gpu(lab, 1)
        assert (await lab.told()).count(EventType.SLOT_QUARANTINED) == 1
        lab.devices.set_load("0", Load())
        await look_at_gpus(lab.world)
        assert await reasons(lab) == {}

    async def test_a_gpu_that_was_handed_on_is_nobodys_after_the_lease_until_it_is_let_go(self, lab: Lab) -> None:
        slot, container = await lab.grant(), ContainerId("c" * 64)
        (lease,) = await lab.ledger.read(lambda books: books.open_leases())
        await lab.ledger.write(lambda books: leases.activate(books, lease.id, container, NOW))
        lab.devices.set_load("0", Load(processes=((4711, 2**20),)))
        lab.world.facts.running[4711] = ProcessFacts(command="python", user="alice", cgroup="0::/user.slice")  # type: ignore[attr-defined]
        await look_at_gpus(lab.world)
        await lab.ledger.write(lambda books: leases.release(books, lease.id, "over", NOW))
        assert await lab.grant() == gpu(lab, 1)
        lab.devices.set_load("0", Load())
        await look_at_gpus(lab.world)
        assert await lab.grant() == slot

    @pytest.mark.parametrize(
        ("program", "uid", "is_user"),
        [
            ("/usr/lib/xorg/Xorg", 0, False),
            ("/usr/bin/gnome-shell", 120, False),
            ("/usr/bin/gnome-shell", 1001, True),
            ("", 0, True),
            ("/usr/bin/python3", 0, True),
        ],
    )
    async def test_the_display_of_the_machine_is_no_user_and_a_name_makes_none(
        self, lab: Lab, program: str, uid: int, is_user: bool
    ) -> None:
        lab.devices.set_load("0", Load(processes=((4711, 2**20),)))
        lab.world.facts.running[4711] = ProcessFacts(  # type: ignore[attr-defined]
            command="Xorg", user="somebody", cgroup="0::/", program=program, uid=uid
        )
        await look_at_gpus(lab.world)
        assert bool(await reasons(lab)) is is_user

    async def test_a_process_that_ended_meanwhile_is_no_reason(self, lab: Lab) -> None:
        lab.devices.set_load("0", Load(processes=((4711, 2**20),)))
        await look_at_gpus(lab.world)
        assert await reasons(lab) == {}

    async def test_the_process_of_the_lease_is_no_stranger(self, lab: Lab) -> None:
        slot, container = await lab.grant(), ContainerId("c" * 64)
        await lab.ledger.write(lambda books: leases.activate(books, books.open_leases()[0].id, container, NOW))
        lab.devices.set_load("0", Load(processes=((4711, 2**20), (4712, 2**20))))
        running = lab.world.facts.running  # type: ignore[attr-defined]
        running[4711] = ProcessFacts(command="python", user="alice", cgroup=f"0::/ds01-u1001.slice/{container}")
        await look_at_gpus(lab.world)
        assert await reasons(lab) == {}
        running[4712] = ProcessFacts(command="miner", user="mallory", cgroup="0::/ds01-u1002.slice/" + "d" * 64)
        await look_at_gpus(lab.world)
        assert await reasons(lab) == {slot: "in use outside DS01 by miner of mallory (process 4712)"}
