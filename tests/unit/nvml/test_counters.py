"""The counters a card keeps of its instances (GPM), against the stand-in library: an H100 has them, an A100 has not."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ds01.adapters.nvml import counters
from ds01.adapters.nvml.counters import LONGEST_SECONDS, Counters
from ds01.adapters.nvml.devices import NvmlDevices
from ds01.adapters.nvml.driver import Driver
from ds01.adapters.nvml.inventory import cards
from ds01.domain.gpu import SlotId
from tests.nvml import State, a100, library
from tests.unit.nvml.test_nvml import divide

pytestmark = pytest.mark.gcc
LARGE, SMALL = SlotId("MIG-0-0"), SlotId("MIG-0-2")
BOTH = (LARGE, SMALL)


@pytest.fixture
def state(tmp_path: Path) -> State:
    made = State(tmp_path / "nvml", {"driver": {"loaded": 1}})
    made.set("gpu 0", **a100(0, gpm=1))
    divide(made, 0)
    made.use()
    return made


class Looking:
    """Somebody who looks every 15 seconds."""

    def __init__(self) -> None:
        self.driver = Driver()
        self.counters = Counters(self.driver)
        self.now = 1000.0
        self.asked_before: int = standin().ds01_standin_gpm_asked()
        self.kept_before: int = standin().ds01_standin_samples()

    def look(self, after: float = 15) -> dict[SlotId, float]:
        self.now += after
        return self.counters.utilisation(cards(self.driver, Path("/none")), BOTH, self.now)

    @property
    def asked(self) -> int:
        """How often the driver was asked whether a card counts."""
        return int(standin().ds01_standin_gpm_asked()) - self.asked_before

    @property
    def kept(self) -> int:
        """Samples the driver holds for us."""
        return int(standin().ds01_standin_samples()) - self.kept_before


def standin() -> ctypes.CDLL:
    return ctypes.CDLL(str(library()))


@pytest.fixture
def looking(state: State) -> Iterator[Looking]:
    made = Looking()
    yield made
    state.set("driver", loaded=1, refuses=None)
    made.counters.close()
    assert made.kept == 0
    made.driver.stop()


def counts(state: State, large: float, small: float) -> None:
    state.set("mig 0 0", gpm_graphics=large, gpm_sm=0)
    state.set("mig 0 2", gpm_graphics=small, gpm_sm=0)


def test_each_instance_has_its_own_and_the_first_look_says_nothing(state: State, looking: Looking) -> None:
    counts(state, 80, 0)
    assert looking.look() == {}
    assert looking.look() == {LARGE: 0.8, SMALL: 0.0}
    counts(state, 0, 12.5)
    assert looking.look() == {LARGE: 0.0, SMALL: 0.125}
    assert looking.kept == 2


def test_the_larger_of_both_numbers_is_believed(state: State, looking: Looking) -> None:
    state.set("mig 0 0", gpm_graphics=4, gpm_sm=30)
    state.set("mig 0 2", gpm_graphics=100)
    looking.look()
    assert looking.look() == {LARGE: 0.3, SMALL: 1.0}


@pytest.mark.parametrize("says", [None, 0], ids=["not supported", "supported, and not by this card"])
def test_a_card_without_counters_is_asked_once(state: State, looking: Looking, says: int | None) -> None:
    state.set("gpu 0", gpm=says)
    assert [looking.look() for _ in range(5)] == [{}] * 5
    assert (looking.asked, looking.kept) == (1, 0)


def test_a_card_that_could_not_say_is_asked_again(state: State, looking: Looking) -> None:
    counts(state, 50, 50)
    state.set("driver", refuses="gpm_support")
    assert looking.look() == {}
    state.set("driver", refuses=None)
    looking.look()
    assert looking.look() == {LARGE: 0.5, SMALL: 0.5}


def test_a_card_with_counters_is_asked_once_too(state: State, looking: Looking) -> None:
    counts(state, 1, 1)
    for _ in range(4):
        looking.look()
    assert looking.asked == 1


def test_a_second_look_at_once_hears_the_same(state: State, looking: Looking) -> None:
    counts(state, 80, 0)
    looking.look()
    looking.look()
    counts(state, 0, 80)
    assert looking.look(1) == {LARGE: 0.8, SMALL: 0.0}
    assert looking.look(15) == {LARGE: 0.0, SMALL: 0.8}


def test_after_a_long_pause_counting_begins_anew(state: State, looking: Looking) -> None:
    counts(state, 80, 0)
    looking.look()
    assert looking.look(LONGEST_SECONDS + 1) == {}
    assert looking.look() == {LARGE: 0.8, SMALL: 0.0}


@pytest.mark.parametrize("said", ["nan", "-1", "250", None])
def test_nonsense_is_unknown(state: State, looking: Looking, said: str | None) -> None:
    state.set("mig 0 0", gpm_graphics=said)
    state.set("mig 0 2", gpm_graphics=said, gpm_sm=7)
    looking.look()
    assert looking.look() == {SMALL: pytest.approx(0.07)}


def test_a_sample_that_fails_is_unknown_and_begins_anew(state: State, looking: Looking) -> None:
    counts(state, 80, 0)
    looking.look()
    state.set("driver", refuses="gpm_sample")
    assert looking.look() == {}
    assert looking.kept == 0
    state.set("driver", refuses=None)
    assert looking.look() == {}
    assert looking.look() == {LARGE: 0.8, SMALL: 0.0}


def test_what_two_compute_instances_share_is_neithers(state: State, looking: Looking) -> None:
    counts(state, 80, 80)
    state.set("mig 0 2", gi_id=0)
    looking.look()
    assert looking.look() == {}


def test_an_instance_made_anew_is_not_compared_with_the_one_before(state: State, looking: Looking) -> None:
    counts(state, 80, 0)
    looking.look()
    state.set("mig 0 0", gi_id=5)
    assert looking.look() == {SMALL: 0.0}
    del state.sections["mig 0 0"]
    state.write()
    assert looking.look() == {SMALL: 0.0}
    assert looking.kept == 1


def test_a_driver_that_was_reloaded_is_asked_anew(state: State, looking: Looking) -> None:
    counts(state, 80, 0)
    looking.look()
    state.set("driver", loaded=0)
    assert looking.look() == {}
    state.set("driver", loaded=1)
    looking.look()
    assert looking.look() == {LARGE: 0.8, SMALL: 0.0}
    assert looking.asked == 2


def test_e8_a_busy_instance_is_busy_while_its_sibling_idles_with_memory_held(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What their use of processors does not tell apart: one waits for its kernels, the other for somebody."""
    monkeypatch.setattr(counters, "SHORTEST_SECONDS", 0.0)
    counts(state, 95, 0)
    for part in ("mig 0 0", "mig 0 2"):
        state.set(part, process=[f"{os.getpid()} 1000"], used_mib=1000)
    devices = NvmlDevices(sysfs=tmp_path)
    assert [part.utilisation for part in devices.samples()] == [None, None], "nobody is idle at the first look"
    assert [part.utilisation for part in devices.samples()] == [0.95, 0.0]
    devices.close()
