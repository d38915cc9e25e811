"""What a line of gpus.simulated may say, and what it becomes."""

import re
from fractions import Fraction

import pytest

from ds01.domain.gpu import slots_of
from ds01.sim.partition import gpu


def test_a_plain_model_is_one_whole_slot() -> None:
    (slot,) = slots_of(gpu("a100-40gb", 3))
    assert (slot.label, slot.profile, slot.gpueq, slot.memory_bytes) == ("3", "full", Fraction(1), 40 * 1024**3)


def test_a_partition_offers_its_instances_only() -> None:
    slots = slots_of(gpu("a100-40gb: 3g.20gb 2g.10gb 2g.10gb", 2))
    assert [slot.label for slot in slots] == ["2:3g.20gb", "2:2g.10gb", "2:2g.10gb"]
    assert sum(slot.gpueq for slot in slots) == 1
    assert len({slot.id for slot in slots}) == 3


def test_an_a30_has_four_slices() -> None:
    slots = slots_of(gpu("a30-24gb: 2g.12gb 1g.6gb 1g.6gb", 0))
    assert [slot.gpueq for slot in slots] == [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]


def test_uuids_survive_a_restart_and_differ_by_place() -> None:
    assert gpu("t4-16gb", 0) == gpu("t4-16gb", 0)
    assert gpu("t4-16gb", 0).uuid != gpu("t4-16gb", 1).uuid
    assert gpu("t4-16gb", 0).uuid.startswith("GPU-")


@pytest.mark.parametrize(
    "line",
    [
        "a100-40gb: 1g.5gb 1g.5gb 1g.5gb 1g.5gb 1g.5gb 1g.5gb 1g.5gb",
        "a100-40gb: 1g.5gb 1g.5gb 1g.5gb 1g.5gb 3g.20gb",
        "a100-40gb: 2g.10gb 2g.10gb 2g.10gb 1g.5gb",
        "h100-80gb: 4g.40gb 3g.40gb",
        "a100-80gb: 7g.80gb",
        "a30-24gb: 4g.24gb",
        "a100-40gb:",
    ],
)
def test_what_the_real_card_can_do_is_possible(line: str) -> None:
    assert gpu(line, 0).mig


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a100-40gb: 4g.20gb 4g.20gb", "8 compute slices of 7"),
        ("a100-40gb: 3g.20gb 3g.20gb 1g.5gb", "overlap"),
        ("a100-40gb: 1g.10gb 1g.10gb 1g.10gb 1g.10gb 1g.10gb", "overlap"),
        ("a100-40gb: 1g.5g", "did you mean '1g.5gb'?"),
        ("a100-40: 1g.5gb", "did you mean 'a100-40gb'?"),
        ("t4-16gb: 1g.5gb", "no MIG"),
        ("", "no GPU model ''"),
    ],
)
def test_what_it_cannot_do_is_refused_with_a_reason(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        gpu(line, 0)
