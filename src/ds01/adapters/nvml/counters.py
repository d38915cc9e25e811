"""What the card itself counts of each MIG instance (NVIDIA calls it GPM): H100 and later have it, an A100 does not.

A reading is of the time between two samples, so the first look at an instance says nothing. A card without these
counters is asked once whether it has them, and not again while the driver runs.

Two numbers are read, and the larger one is believed: the share of time in which anything ran, which on some drivers a
program in a large instance never brings to the full, and the share of processors that were busy. Nobody is stopped
for what one of them leaves out.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pynvml

from ds01.adapters.nvml.activity import SHORTEST_SECONDS
from ds01.adapters.nvml.driver import Driver
from ds01.adapters.nvml.inventory import Card
from ds01.domain.gpu import SlotId

LONGEST_SECONDS = 120.0
"""A mean over more than this would hide what was done last: counting begins anew."""
_METRICS = (pynvml.NVML_GPM_METRIC_GRAPHICS_UTIL, pynvml.NVML_GPM_METRIC_SM_UTIL)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The last sample of an instance, when it was taken, and what the time before it came to."""

    gpu_instance: int
    sample: Any
    at: float
    share: float | None = None


class Counters:
    """Remembers the last sample of each instance. Called from several threads."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._lock = threading.Lock()
        self._starts = 0
        self._has: dict[SlotId, bool] = {}
        self._seen: dict[SlotId, _Seen] = {}

    def utilisation(
        self, cards: Sequence[Card], slots: Collection[SlotId], now: float | None = None
    ) -> dict[SlotId, float]:
        """How busy each of these instances was since the look before, as far as its card counts that."""
        with self._lock:
            self._begin_anew()
            at = time.monotonic() if now is None else now
            asked = [(card, *each) for card in cards for each in self._counted(card, slots)]
            self._forget({slot for _, slot, _ in asked})
            found = {slot: self._share(card, slot, instance, at) for card, slot, instance in asked}
            return {slot: share for slot, share in found.items() if share is not None}

    def close(self) -> None:
        """Let go of the samples."""
        with self._lock:
            self._begin_anew()
            self._forget(())

    def _begin_anew(self) -> None:
        """What was asked and kept of a driver that was started anew since then is gone with it."""
        if self._starts != self._driver.starts:
            self._starts = self._driver.starts
            self._has.clear()
            self._seen.clear()

    def _counted(self, card: Card, slots: Collection[SlotId]) -> Iterator[tuple[SlotId, int]]:
        """Instances with the number their card knows them by. What two share is nobody's measure."""
        parts = [(each.uuid, part) for each, part in zip(card.gpu.instances, card.parts, strict=True)]
        if not any(slot in slots for slot, _ in parts) or not self._counts(card):
            return
        numbers = [(slot, self._driver.ask(pynvml.nvmlDeviceGetGpuInstanceId, part)) for slot, part in parts]
        sharers = Counter(number for _, number in numbers)
        yield from ((slot, number) for slot, number in numbers if slot in slots and sharers[number] == 1)

    def _counts(self, card: Card) -> bool:
        """Whether this card counts at all; one that could not say is asked again."""
        if card.gpu.uuid not in self._has:
            answer = self._driver.ask_many(support, card.handle)
            if answer is None:
                return False
            self._has[card.gpu.uuid] = bool(answer)
        return self._has[card.gpu.uuid]

    def _forget(self, kept: Collection[SlotId]) -> None:
        for slot in [slot for slot in self._seen if slot not in kept]:
            self._free(self._seen.pop(slot).sample)

    def _share(self, card: Card, slot: SlotId, instance: int, at: float) -> float | None:
        before = self._seen.pop(slot, None)
        if before is not None and at - before.at < SHORTEST_SECONDS:
            self._seen[slot] = before
            return before.share
        sample = self._take(card, instance)
        share = None
        if before is not None:
            if sample is not None and before.gpu_instance == instance and at - before.at <= LONGEST_SECONDS:
                share = between(self._driver, before.sample, sample)
            self._free(before.sample)
        if sample is not None:
            self._seen[slot] = _Seen(gpu_instance=instance, sample=sample, at=at, share=share)
        return share

    def _take(self, card: Card, instance: int) -> Any:
        sample = self._driver.ask(pynvml.nvmlGpmSampleAlloc)
        if sample is None:
            return None
        if self._driver.ask(pynvml.nvmlGpmMigSampleGet, card.handle, instance, sample) is None:
            self._free(sample)
            return None
        return sample

    def _free(self, sample: Any) -> None:
        self._driver.ask(pynvml.nvmlGpmSampleFree, sample)


def between(driver: Driver, first: Any, second: Any) -> float | None:
    """How busy what both samples are of was from the first to the second, 0 to 1; None when its card does not say."""
    asked = pynvml.c_nvmlGpmMetricsGet_t()
    asked.version, asked.numMetrics = pynvml.NVML_GPM_METRICS_GET_VERSION, len(_METRICS)
    asked.sample1, asked.sample2 = first, second
    for place, metric in enumerate(_METRICS):
        asked.metrics[place].metricId = metric
    if driver.ask(pynvml.nvmlGpmMetricsGet, asked) is None:
        return None
    said = [asked.metrics[place] for place in range(len(_METRICS))]
    return max((each.value / 100 for each in said if _sound(each)), default=None)


def support(handle: Any) -> tuple[bool, ...]:
    """Something when this card counts, nothing when it does not. Raises NVMLError."""
    return (True,) if pynvml.nvmlGpmQueryDeviceSupport(handle).isSupportedDevice else ()


def _sound(metric: Any) -> bool:
    return metric.nvmlReturn == pynvml.NVML_SUCCESS and math.isfinite(metric.value) and 0 <= metric.value <= 100
