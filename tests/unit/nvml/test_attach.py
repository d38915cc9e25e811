"""How real GPUs are asked of the engine: by UUID, by the way this engine knows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from ds01.adapters.nvml.attach import Attach, automatic, cdi, nvidia
from ds01.domain.gpu import Slot, SlotId

FIRST, SECOND = (
    Slot(
        id=SlotId(f"GPU-{letter}"), gpu=SlotId(f"GPU-{letter}"), gpu_index=index, model="NVIDIA A100", profile="full",
        memory_bytes=1, gpueq=Fraction(1), minor=index,
    )
    for index, letter in ((3, "aaaa"), (5, "bbbb"))
)  # fmt: skip


def test_nvidia_asks_by_uuid() -> None:
    attached = nvidia([FIRST, SECOND])
    (request,) = attached.requests
    assert (request.driver, request.ids) == ("nvidia", ("GPU-aaaa", "GPU-bbbb"))
    assert request.capabilities == ("gpu", "compute", "utility")


def test_cdi_asks_by_qualified_name() -> None:
    (request,) = cdi([FIRST]).requests
    assert (request.driver, request.ids) == ("cdi", ("nvidia.com/gpu=GPU-aaaa",))


@pytest.mark.parametrize("way", [nvidia, cdi, automatic(())])
def test_g3_the_environment_names_the_lease_and_nothing_else(way: Attach) -> None:
    environment = way([FIRST, SECOND]).environment
    assert environment == {"NVIDIA_VISIBLE_DEVICES": "GPU-aaaa,GPU-bbbb", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert way([]).environment == {"NVIDIA_VISIBLE_DEVICES": "void"}
    assert way([]).requests == ()


@pytest.mark.parametrize(
    ("reads", "spec", "driver"),
    [
        (True, "kind: nvidia.com/gpu\ndevices:\n- name: GPU-aaaa\n", "cdi"),
        (True, '{"kind": "nvidia.com/gpu", "devices": [{"name": "GPU-aaaa"}]}', "cdi"),
        (False, "kind: nvidia.com/gpu\ndevices:\n- name: GPU-aaaa\n", "nvidia"),
        (True, "kind: nvidia.com/gpu\ndevices:\n- name: GPU-cccc\n", "nvidia"),
        (True, "kind: other.com/gpu\ndevices:\n- name: GPU-aaaa\n", "nvidia"),
        (True, "", "nvidia"),
    ],
)
def test_auto_takes_cdi_where_engine_and_specification_have_it(
    tmp_path: Path, reads: bool, spec: str, driver: str
) -> None:
    (tmp_path / "nvidia.yaml").write_text(spec)
    (request,) = automatic([tmp_path, tmp_path / "none"] if reads else [])([FIRST]).requests
    assert request.driver == driver
