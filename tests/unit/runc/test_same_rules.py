"""What the gateway and the guard each keep a list of, as the guard knows nothing but itself: the lists are the same."""

from __future__ import annotations

import pytest

from ds01.domain import confinement, gpu
from ds01.domain.dockerpolicy import isolation, resources
from ds01.runc import edits, rules


def test_the_kernel_settings_of_a_container() -> None:
    assert isolation._SYSCTLS == rules._SYSCTLS


def test_capabilities() -> None:
    assert {f"CAP_{name}" for name in confinement.CAPABILITIES} == rules.CAPABILITIES


def test_open_files() -> None:
    assert resources.NOFILE == rules._OPEN_FILES


def test_variables_that_ask_for_devices() -> None:
    asks = {name.removesuffix("=") for name in edits._ASKS_FOR_DEVICES} | {edits.VISIBLE}
    assert asks == gpu.VARIABLES | {"NVIDIA_MIG_"}


@pytest.mark.parametrize("name", sorted(gpu.VARIABLES | {"NVIDIA_MIG_CONFIG_DEVICES"}))
def test_the_guard_passes_none_of_these(name: str) -> None:
    assert gpu.asks_for_devices(name)
    found = edits._environment([f"{name}=all", "MINE=1"], frozenset())
    assert found == ["MINE=1", f"{edits.VISIBLE}=void"]
