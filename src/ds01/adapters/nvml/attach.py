"""How real GPUs get into a container: asked of the engine by UUID, never by index.

``cdi`` names them to the engine itself (Docker 25 and a specification of NVIDIA's toolkit that knows the GPU);
``nvidia`` asks the engine's NVIDIA driver. The environment says the same in both: a runtime that reads it gives
these GPUs and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ds01.domain.container import Attachment, DeviceRequest
from ds01.domain.gpu import NONE_VISIBLE, VISIBLE, Slot

CDI_KIND = "nvidia.com/gpu"

_NO_GPU = Attachment(environment={VISIBLE: NONE_VISIBLE})

Attach = Callable[[Sequence[Slot]], Attachment]


def nvidia(slots: Sequence[Slot]) -> Attachment:
    """Through the engine's NVIDIA driver."""
    if not slots:
        return _NO_GPU
    ids = tuple(str(slot.id) for slot in slots)
    request = DeviceRequest(driver="nvidia", ids=ids, capabilities=("gpu", "compute", "utility"))
    return Attachment(requests=(request,), environment=_environment(slots))


def cdi(slots: Sequence[Slot]) -> Attachment:
    """By CDI names."""
    if not slots:
        return _NO_GPU
    ids = tuple(f"{CDI_KIND}={slot.id}" for slot in slots)
    return Attachment(
        requests=(DeviceRequest(driver="cdi", ids=ids, capabilities=()),), environment=_environment(slots)
    )


def automatic(folders: Sequence[Path]) -> Attach:
    """CDI where a specification in the folders that the engine reads (none without CDI) names all the slots, else
    the NVIDIA driver.

    Decided anew each time: a GPU divided since the specification was written is not in it.
    """

    def attach(slots: Sequence[Slot]) -> Attachment:
        return cdi(slots) if folders and specified(slots, folders) else nvidia(slots)

    return attach


def specified(slots: Sequence[Slot], folders: Sequence[Path]) -> bool:
    """Whether specifications in these folders name all these slots by UUID."""
    texts = [
        spec.read_text(errors="replace")
        for folder in folders
        if folder.is_dir()
        for spec in sorted(folder.iterdir())
        if spec.suffix in (".json", ".yaml", ".yml")
    ]
    known = "\n".join(text for text in texts if CDI_KIND in text)
    return all(slot.id in known for slot in slots)


def _environment(slots: Sequence[Slot]) -> dict[str, str]:
    return {
        VISIBLE: ",".join(slot.id for slot in slots),
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }
