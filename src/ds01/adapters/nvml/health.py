"""What is wrong with a GPU: errors it reported, memory it cannot repair, heat.

Errors (Xid) are events: they are said once, so they are remembered until the driver is loaded anew or the admin
resets the GPU and restarts ds01d. Everything else is asked each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pynvml

from ds01.adapters.nvml.driver import Driver
from ds01.adapters.nvml.inventory import Card
from ds01.domain.gpu import SlotId

OF_PROGRAMS = frozenset({13, 31, 43, 45, 68, 109})
"""Xid errors a user's program causes; the GPU is fine after them."""

NOTES = frozenset({63, 92})
"""Xid errors that record a repair; whether a reset is needed is asked separately."""

_WANTED = pynvml.nvmlEventTypeXidCriticalError | pynvml.nvmlEventTypeDoubleBitEccError
_AT_ONCE = 100
"""Events read in one look; more of them say nothing new."""


class Health:
    """The faults of all GPUs. Keeps the driver's event set and what came out of it."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._start = -1
        self._events: Any = None
        self._listening: set[SlotId] = set()
        self._reported: dict[SlotId, str] = {}

    def faults(self, cards: Sequence[Card]) -> dict[SlotId, str]:
        """Reasons by GPU (not by slot), for those that answer."""
        self._listen(cards)
        self._read()
        found = {card.gpu.uuid: self._reason(card) for card in cards}
        return {gpu: reason for gpu, reason in found.items() if reason}

    def close(self) -> None:
        """Let go of the event set."""
        if self._events is not None:
            self._driver.ask(pynvml.nvmlEventSetFree, self._events)
        self._events = None

    def _listen(self, cards: Sequence[Card]) -> None:
        if self._start != self._driver.starts:
            self._start = self._driver.starts
            self._events = self._driver.ask(pynvml.nvmlEventSetCreate)
            self._listening.clear()
            self._reported.clear()
        for card in cards:
            if self._events is not None and card.gpu.uuid not in self._listening:
                can = self._driver.ask(pynvml.nvmlDeviceGetSupportedEventTypes, card.handle) or 0
                self._driver.ask(pynvml.nvmlDeviceRegisterEvents, card.handle, can & _WANTED, self._events)
                self._listening.add(card.gpu.uuid)

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            event = None if self._events is None else self._driver.ask(pynvml.nvmlEventSetWait, self._events, 0)
            if event is None:
                return
            gpu = self._driver.ask(pynvml.nvmlDeviceGetUUID, event.device)
            reason = _event(event)
            if gpu is not None and reason:
                self._reported[SlotId(gpu)] = reason

    def _reason(self, card: Card) -> str:
        """The first of what is wrong with this card, ``""`` when nothing is."""
        checks = (self._told, self._uncorrected, self._rows, self._pages, self._heat)
        return next((reason for check in checks if (reason := check(card))), "")

    def _told(self, card: Card) -> str:
        return self._reported.get(card.gpu.uuid, "")

    def _uncorrected(self, card: Card) -> str:
        count = self._driver.ask(
            pynvml.nvmlDeviceGetTotalEccErrors,
            card.handle,
            pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED,
            pynvml.NVML_VOLATILE_ECC,
        )
        return f"{count} memory errors that ECC could not correct" if count else ""

    def _rows(self, card: Card) -> str:
        rows = self._driver.ask(pynvml.nvmlDeviceGetRemappedRows, card.handle)
        if rows is None:
            return ""
        _, _, pending, failed = rows
        if failed:
            return "broken memory rows that could not be replaced"
        return "broken memory rows; a reset of the GPU replaces them" if pending else ""

    def _pages(self, card: Card) -> str:
        pending = self._driver.ask(pynvml.nvmlDeviceGetRetiredPagesPendingStatus, card.handle)
        return "broken memory pages; a reset of the GPU retires them" if pending else ""

    def _heat(self, card: Card) -> str:
        now = self._driver.ask(pynvml.nvmlDeviceGetTemperature, card.handle, pynvml.NVML_TEMPERATURE_GPU)
        limit = self._driver.ask(
            pynvml.nvmlDeviceGetTemperatureThreshold, card.handle, pynvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN
        )
        if now is None or not limit or now < limit:
            return ""
        return f"{now} °C hot; it slows itself down at {limit} °C"


def _event(event: Any) -> str:
    """The reason an event gives to place nobody there, or ``""``."""
    if event.eventType == pynvml.nvmlEventTypeDoubleBitEccError:
        return "a memory error that ECC could not correct"
    xid = int(event.eventData)
    return "" if xid in OF_PROGRAMS | NOTES else f"Xid {xid}"
