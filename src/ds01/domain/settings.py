"""What the admin set for the whole server, after reading: the policy, the GPUs, the images, the shared data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from ds01.domain.image import BaseImage
from ds01.domain.limits import Policy

MINIMAL = BaseImage(
    name="minimal",
    reference="ds01/minimal:latest",
    description="Debian and Python, built on this server: needs no registry",
)


@dataclass(frozen=True, kw_only=True)
class GpuSettings:
    """``source``: auto, nvml or simulated. ``simulated`` lists GPUs as ``a100-40gb`` or ``a100-40gb: 3g.20gb …``.

    ``attach``: auto, cdi, nvidia or simulated.
    """

    source: str = "auto"
    simulated: tuple[str, ...] = ("a100-40gb",) * 4
    attach: str = "auto"


@dataclass(frozen=True, kw_only=True)
class ImageSettings:
    """``ca`` is a PEM file trusted by every generated image and build; ``build_env`` their environment.

    ``registries`` are host names users may pull from; ``protected`` are patterns of tags nobody may write.
    """

    bases: tuple[BaseImage, ...] = (MINIMAL,)
    ca: str = ""
    build_env: Mapping[str, str] = field(default_factory=dict)
    registries: tuple[str, ...] = ("docker.io",)
    protected: tuple[str, ...] = ("ds01/*",)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A whole limits file. ``shares`` are folders of shared data, mounted read-only by whoever may read them."""

    policy: Policy = field(default_factory=Policy)
    gpus: GpuSettings = field(default_factory=GpuSettings)
    images: ImageSettings = field(default_factory=ImageSettings)
    shares: tuple[str, ...] = ()
    never_started: timedelta = timedelta(minutes=30)
    source: str = "built-in"
