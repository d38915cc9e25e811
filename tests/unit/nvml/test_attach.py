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


@pytest.mark.parametrize("way", [nvidia, cdi, automatic("26.1.5", ())])
def test_g3_the_environment_names_the_lease_and_nothing_else(way: Attach) -> None:
    environment = way([FIRST, SECOND]).environment
    assert environment == {"NVIDIA_VISIBLE_DEVICES": "GPU-aaaa,GPU-bbbb", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert way([]).environment == {"NVIDIA_VISIBLE_DEVICES": "void"}
    assert way([]).requests == ()


@pytest.mark.parametrize(
    ("engine", "spec", "driver"),
    [
        ("26.1.5", "kind: nvidia.com/gpu\ndevices:\n- name: GPU-aaaa\n", "cdi"),
        ("25.0.0", '{"kind": "nvidia.com/gpu", "devices": [{"name": "GPU-aaaa"}]}', "cdi"),
        ("24.0.9", "kind: nvidia.com/gpu\ndevices:\n- name: GPU-aaaa\n", "nvidia"),
        ("26.1.5", "kind: nvidia.com/gpu\ndevices:\n- name: GPU-cccc\n", "nvidia"),
        ("26.1.5", "kind: other.com/gpu\ndevices:\n- name: GPU-aaaa\n", "nvidia"),
        ("26.1.5", "", "nvidia"),
        ("", "kind: nvidia.com/gpu\ndevices:\n- name: GPU-aaaa\n", "nvidia"),
    ],
)
def test_auto_takes_cdi_where_engine_and_specification_have_it(
    tmp_path: Path, engine: str, spec: str, driver: str
) -> None:
    (tmp_path / "nvidia.yaml").write_text(spec)
    (request,) = automatic(engine, [tmp_path, tmp_path / "none"])([FIRST]).requests
    assert request.driver == driver
