"""Dividing a real GPU: which instances the card offers and where, and making exactly those that were planned.

A GPU instance is a stretch of the card, the compute instance in it is what a program gets; here each GPU instance has
one compute instance of its whole size. Whatever the driver refuses is told in its own words.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pynvml

from ds01.adapters.nvml.driver import Driver
from ds01.adapters.nvml.inventory import Card
from ds01.domain import mig
from ds01.domain.errors import GPU_DIVIDE, Ds01Error
from ds01.domain.mig import MigProfile

_MIB = 1024**2
_MANY = 16
"""More instances than any card has."""


def offered(driver: Driver, card: Card) -> tuple[MigProfile, ...]:
    """The profiles of this card with their places; nothing when it has no MIG."""
    return tuple(profile for _, profile in _profiles(driver, card.handle))


def divide(driver: Driver, card: Card, wanted: Sequence[str] | None) -> None:
    """Make these instances and no others, or with None a whole GPU. Raises Ds01Error (``gpu.divide``)."""
    number = card.gpu.index
    if wanted is None:
        _clear(driver, card)
        _switch(card, on=False)
        return
    known = {profile.name: (id_, profile) for id_, profile in _profiles(driver, card.handle)}
    try:
        placed = mig.places(f"GPU {number}", wanted, [profile for _, profile in known.values()])
    except ValueError as error:
        raise _refused(number, str(error)) from error
    if not card.gpu.mig:
        _switch(card, on=True)
    _clear(driver, card)
    for profile, start in placed:
        _make(driver, card, known[profile.name][0], profile, start)


def _profiles(driver: Driver, handle: Any) -> Iterator[tuple[int, MigProfile]]:
    """Each profile with the driver's id for it. Two that are called the same are the same to people: the first."""
    seen = set()
    for info in _infos(driver, handle):
        places, name = _places(driver, handle, int(info.id)), _name(info)
        if places and name not in seen:
            seen.add(name)
            yield int(info.id), MigProfile(
                name=name, slices=int(info.sliceCount), width=places[0][1], starts=tuple(start for start, _ in places),
                memory_bytes=int(info.memorySizeMB) * _MIB,
            )  # fmt: skip


def _infos(driver: Driver, handle: Any) -> Iterator[Any]:
    """What the driver says of every GPU instance profile it knows for this card; old ones say less."""
    for number in range(pynvml.NVML_GPU_INSTANCE_PROFILE_COUNT):
        answers = (
            driver.ask(pynvml.nvmlDeviceGetGpuInstanceProfileInfo, handle, number, version) for version in (2, 1)
        )
        info = next((answer for answer in answers if answer is not None), None)
        if info is not None:
            yield info


def _name(info: Any) -> str:
    """``3g.20gb``; drivers that do not name a profile get it from the sizes."""
    said = getattr(info, "name", b"")
    text = (said.decode() if isinstance(said, bytes) else str(said)).removeprefix("MIG ").strip()
    return text or f"{int(info.sliceCount)}g.{round(int(info.memorySizeMB) / 1024)}gb"


def _places(driver: Driver, handle: Any, id_: int) -> list[tuple[int, int]]:
    """Start and width of every place of a profile, in memory slices."""
    count = ctypes.c_uint(_MANY)
    places = (pynvml.c_nvmlGpuInstancePlacement_t * _MANY)()
    if driver.ask(pynvml.nvmlDeviceGetGpuInstancePossiblePlacements, handle, id_, places, ctypes.byref(count)) is None:
        return []
    return sorted((int(place.start), int(place.size)) for place in places[: count.value])


def _switch(card: Card, *, on: bool) -> None:
    """MIG mode. Some cards change it only when they are reset."""
    mode = pynvml.NVML_DEVICE_MIG_ENABLE if on else pynvml.NVML_DEVICE_MIG_DISABLE
    number = card.gpu.index
    status = _order(number, pynvml.nvmlDeviceSetMigMode, card.handle, mode)
    now, _ = _order(number, pynvml.nvmlDeviceGetMigMode, card.handle)
    if status != pynvml.NVML_SUCCESS or now != mode:
        raise Ds01Error(
            GPU_DIVIDE, f"GPU {number} changes its MIG mode only when it is reset.",
            reason="The driver has noted the new mode.",
            hint=f"nvidia-smi --gpu-reset -i {number}, with nothing on it; then the same command again",
        )  # fmt: skip


def _clear(driver: Driver, card: Card) -> None:
    """Take every instance away: the compute instance first, then the GPU instance it is in."""
    number = card.gpu.index
    for info in _infos(driver, card.handle):
        for gpu_instance in _gpu_instances(driver, card.handle, int(info.id)):
            for profile, _ in _compute_profiles(driver, gpu_instance):
                for part in _compute_instances(driver, gpu_instance, profile):
                    _order(number, pynvml.nvmlComputeInstanceDestroy, part)
            _order(number, pynvml.nvmlGpuInstanceDestroy, gpu_instance)


def _make(driver: Driver, card: Card, id_: int, profile: MigProfile, start: int) -> None:
    number = card.gpu.index
    place = pynvml.c_nvmlGpuInstancePlacement_t(start, profile.width)
    made = _order(
        number, pynvml.nvmlDeviceCreateGpuInstanceWithPlacement, card.handle, id_, ctypes.byref(place)
    )  # fmt: skip
    whole = [part for part, slices in _compute_profiles(driver, made) if slices == profile.slices]
    if not whole:
        raise _refused(number, f"the driver offers no compute instance for all of a {profile.name}")
    _order(number, pynvml.nvmlGpuInstanceCreateComputeInstance, made, whole[0])


def _compute_profiles(driver: Driver, gpu_instance: Any) -> Iterator[tuple[int, int]]:
    """Id and compute slices of every compute profile that a GPU instance offers."""
    shared = pynvml.NVML_COMPUTE_INSTANCE_ENGINE_PROFILE_SHARED
    for number in range(pynvml.NVML_COMPUTE_INSTANCE_PROFILE_COUNT):
        for version in (2, 1):
            info = driver.ask(
                pynvml.nvmlGpuInstanceGetComputeInstanceProfileInfo, gpu_instance, number, shared, version
            )
            if info is not None:
                yield int(info.id), int(info.sliceCount)
                break


def _gpu_instances(driver: Driver, handle: Any, profile: int) -> list[Any]:
    found, count = (pynvml.c_nvmlGpuInstance_t * _MANY)(), ctypes.c_uint(_MANY)
    said = driver.ask(pynvml.nvmlDeviceGetGpuInstances, handle, profile, found, ctypes.byref(count))
    return [] if said is None else list(found[: count.value])


def _compute_instances(driver: Driver, gpu_instance: Any, profile: int) -> list[Any]:
    found, count = (pynvml.c_nvmlComputeInstance_t * _MANY)(), ctypes.c_uint(_MANY)
    said = driver.ask(pynvml.nvmlGpuInstanceGetComputeInstances, gpu_instance, profile, found, ctypes.byref(count))
    return [] if said is None else list(found[: count.value])


def _order(number: int, act: Callable[..., Any], *arguments: object) -> Any:
    try:
        return act(*arguments)
    except pynvml.NVMLError as error:
        raise _refused(number, f"{act.__name__}: {error}") from error


def _refused(number: int, why: str) -> Ds01Error:
    return Ds01Error(
        GPU_DIVIDE, f"GPU {number} could not be divided.", reason=f"{why}.", hint="ds01 admin mig show"
    )  # fmt: skip
