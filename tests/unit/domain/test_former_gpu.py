"""Why a container that starts again has other GPUs."""

from __future__ import annotations

import pytest

from ds01.domain.former_gpu import why
from ds01.domain.gpu import SlotId
from tests.values import gpu, slots

ALL = slots(gpu(0), gpu(1), gpu(2), gpu(3))


def named(numbers: str) -> list[SlotId]:
    return [SlotId(f"GPU-{number}") for number in numbers]


@pytest.mark.parametrize(
    ("had", "has", "ill", "taken", "said"),
    [
        ("0", "0", "", "", ""),
        ("0", "1", "", "0", "Its former GPU is in use"),
        ("0", "1", "0", "", "Its former GPU is out of service"),
        ("7", "1", "", "", "Its former GPU is not there any more"),
        ("0", "1", "", "", "Its former GPU is kept for somebody else"),
        ("01", "23", "", "01", "Its former GPUs are in use"),
        ("01", "12", "", "0", "One of its former GPUs is in use"),
        ("01", "23", "1", "0", "One of its former GPUs is out of service"),
        ("012", "03", "12", "", "2 of its former GPUs are out of service"),
    ],
)
def test_it_is_said_what_became_of_those_it_had(had: str, has: str, ill: str, taken: str, said: str) -> None:
    assert why(named(had), named(has), ALL, named(ill), named(taken)) == said


def test_an_instance_is_out_of_service_with_its_gpu() -> None:
    parts = slots(gpu(0, parts=("1g.5gb", "1g.5gb")))
    assert why([parts[0].id], [], parts, named("0"), []) == "Its former GPU is out of service"
