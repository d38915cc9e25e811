"""What is plugged in, whatever drivers say."""

from __future__ import annotations

from pathlib import Path

_NVIDIA = "0x10de"
_DISPLAY = "0x03"
"""PCI class of display controllers, which computing GPUs are too."""


def nvidia_cards(sysfs: Path = Path("/sys")) -> tuple[str, ...]:
    """PCI addresses of NVIDIA GPUs, also of those without a working driver."""
    devices = sysfs / "bus/pci/devices"
    if not devices.is_dir():
        return ()
    return tuple(device.name for device in sorted(devices.iterdir()) if _is_gpu(device))


def _is_gpu(device: Path) -> bool:
    return _fact(device / "vendor") == _NVIDIA and _fact(device / "class").startswith(_DISPLAY)


def _fact(file: Path) -> str:
    return file.read_text().strip() if file.exists() else ""
