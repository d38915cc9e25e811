"""The one door to ``pynvml``: start, stop, and questions that may have no answer.

A GPU can fall off between two calls, a driver can be reloaded under us, an old one lacks half of the questions. So no
error of NVML goes further than here: what the driver cannot say is None, and its last refusal is kept for the doctor.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pynvml

_GONE = frozenset({
    pynvml.NVML_ERROR_UNINITIALIZED,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED,
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND,
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
})  # fmt: skip
"""Refusals that mean there is no driver to talk to: it is started anew at the next question."""


_LACKING = frozenset({pynvml.NVML_ERROR_NOT_SUPPORTED, pynvml.NVML_ERROR_FUNCTION_NOT_FOUND})
"""Refusals that mean this GPU or this driver has nothing of the kind that was asked for."""


class Driver:
    """NVML, started when first needed and whenever it came back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started = False
        self.starts = 0
        """How often it was started: whoever keeps something of the driver must ask again after a restart."""
        self.problem = ""
        """Why NVML finds none, in the driver's words; ``""`` while it works."""

    def start(self) -> bool:
        """Whether the driver is there now."""
        with self._lock:
            if not self._started:
                self._started = self._attempt(pynvml.nvmlInit)
                self.starts += self._started
            return self._started

    def stop(self) -> None:
        """Let go of the driver."""
        with self._lock:
            if self._started:
                self._attempt(pynvml.nvmlShutdown)
            self._started = False

    def ask(self, question: Callable[..., Any], *arguments: object) -> Any:
        """The answer, or None when the driver has none."""
        try:
            return question(*arguments)
        except pynvml.NVMLError as error:
            if error.value in _GONE:
                self._lost(error)
            return None

    def ask_many(self, question: Callable[..., Sequence[Any]], *arguments: object) -> Sequence[Any] | None:
        """The answer to what has many: empty where the GPU has nothing of the kind, None when the driver cannot say."""
        try:
            return question(*arguments)
        except pynvml.NVMLError as error:
            if error.value in _GONE:
                self._lost(error)
            return () if error.value in _LACKING else None

    def _attempt(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except pynvml.NVMLError as error:
            self.problem = _words(error)
            return False
        self.problem = ""
        return True

    def _lost(self, error: pynvml.NVMLError) -> None:
        with self._lock:
            if self._started:
                # The library counts its starts: without this one's end it would never look for the driver again.
                with contextlib.suppress(pynvml.NVMLError):
                    pynvml.nvmlShutdown()
            self._started = False
            self.problem = _words(error)


def _words(error: pynvml.NVMLError) -> str:
    if error.value == pynvml.NVML_ERROR_LIBRARY_NOT_FOUND:
        return "libnvidia-ml.so.1, which comes with the NVIDIA driver, is not installed"
    return str(error)
