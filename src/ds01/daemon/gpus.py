"""Which GPUs this ds01d serves: real or simulated, and how they get into containers.

``auto`` simulates only on a machine without any NVIDIA card. A server whose driver is broken has cards and no GPUs:
leasing imaginary ones there would give people containers whose training does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ds01.adapters.host.hardware import nvidia_cards
from ds01.domain.errors import BAD_LIMITS_FILE, Ds01Error
from ds01.domain.settings import GpuSettings
from ds01.ports.clock import Clock
from ds01.ports.devices import Devices


def devices(
    settings: GpuSettings,
    *,
    run: Path,
    clock: Clock,
    cdi_folders: Sequence[str] = (),
    simulate: bool = False,
    sysfs: Path = Path("/sys"),
) -> Devices:
    """The GPUs of ``settings``. ``cdi_folders``: where the engine reads CDI specifications, none when it has no CDI."""
    if simulate or settings.source == "simulated":
        return _simulated(settings, run, clock)
    if settings.attach == "simulated":
        raise Ds01Error(
            BAD_LIMITS_FILE,
            "Real GPUs cannot be attached in the simulated way.",
            reason=f"gpus.source is {settings.source} and gpus.attach is simulated.",
            hint="Set gpus.source: simulated, or gpus.attach: auto.",
        )
    real = _real(settings, cdi_folders, sysfs)
    if real.inventory() or nvidia_cards(sysfs):
        return real
    real.close()
    if settings.source == "auto":
        return _simulated(settings, run, clock)
    raise Ds01Error(
        BAD_LIMITS_FILE,
        "The limits file asks for NVIDIA GPUs, and this machine has none.",
        reason="gpus.source is nvml; NVML finds none and no card is plugged in.",
        hint="Set gpus.source: auto, or simulated.",
    )


def _simulated(settings: GpuSettings, run: Path, clock: Clock) -> Devices:
    from ds01.sim.devices import SimDevices

    return SimDevices(settings.simulated, run=run, clock=clock)


def _real(settings: GpuSettings, cdi_folders: Sequence[str], sysfs: Path) -> Devices:
    from ds01.adapters.nvml.attach import automatic, cdi, nvidia
    from ds01.adapters.nvml.devices import NvmlDevices

    ways = {"cdi": cdi, "nvidia": nvidia}
    return NvmlDevices(
        attach=ways.get(settings.attach) or automatic([Path(folder) for folder in cdi_folders]), sysfs=sysfs
    )
