"""A valid file as settings of the domain, each limit with the line that set it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import PurePath
from typing import Any, TypeVar

from ds01.config.located import Located, Path
from ds01.config.rules import RULES
from ds01.domain.container import Door
from ds01.domain.engine_versions import HolesRule
from ds01.domain.fence import BridgeRule
from ds01.domain.image import BaseImage, repository, with_tag
from ds01.domain.limit_keys import AGGREGATE_KEYS, KEYS
from ds01.domain.limits import Exemption, Group, Layer, Policy, Sourced
from ds01.domain.queue.plan import Rules
from ds01.domain.settings import (
    BookingRules,
    BusyRule,
    DockerSettings,
    EnergySettings,
    GpuSettings,
    IdleRule,
    ImageSettings,
    KeepRules,
    LifecycleRules,
    MailSettings,
    NoticeSettings,
    RootRule,
    Settings,
)
from ds01.domain.standing import OutsideRule

Data = Mapping[str, Any]
T = TypeVar("T")


def build(data: Data, found: Located, file: str) -> Settings:
    """The settings of validated ``data``. Sources are ``limits.yaml:12``: the file's name and the key's line."""
    reader = _Reader(found, PurePath(file).name)
    rules = _rules(data.get("policy") or {})
    return Settings(
        policy=Policy(
            defaults=reader.layer(data.get("defaults"), ("defaults",)),
            groups=tuple(reader.groups(data)),
            users={
                login: reader.layer(limits, ("users", login)) for login, limits in (data.get("users") or {}).items()
            },
            doors={
                Door(door): reader.layer(limits, ("doors", door)) for door, limits in (data.get("doors") or {}).items()
            },
            exemptions=tuple(reader.exemptions(data.get("exemptions", ()))),
            source=reader.file,
        ),
        lifecycle=_lifecycle(rules),
        queue=Rules(
            claim=rules["queue.claim"],
            fair=rules["queue.fair"],
            age=rules["queue.age"],
            guard=rules["queue.guard"],
            unclaimed=rules["bookings.unclaimed"],
        ),
        bookings=BookingRules(starts=rules["bookings.starts"], sweep=rules["bookings.sweep"]),
        keep=KeepRules(jobs=rules["keep.jobs"], notices=rules["keep.notices"]),
        gpus=_gpus(data.get("gpus") or {}),
        images=_images(data.get("images") or {}),
        docker=_docker(data.get("docker") or {}),
        notices=_notices(data.get("notices") or {}),
        energy=EnergySettings(**(data.get("energy") or {})),
        shares=tuple(data.get("shares", ())),
        source=file,
    )


class _Reader:
    def __init__(self, found: Located, file: str) -> None:
        self._found = found
        self.file = file

    def source(self, path: Path) -> str:
        return f"{self.file}:{self._found.key(path)[0]}"

    def layer(self, data: Data | None, where: Path, keys: Iterable[str] = KEYS) -> Layer:
        """Flat keys to sourced values, of what is written below ``where``."""
        layer: dict[str, Sourced] = {}
        for name in keys:
            parts = name.split(".")
            holder: Any = data
            for part in parts[:-1]:
                holder = (holder or {}).get(part)
            if holder and parts[-1] in holder:
                layer[name] = Sourced(value=holder[parts[-1]], source=self.source((*where, *parts)))
        return layer

    def groups(self, data: Data) -> Iterable[Group]:
        aggregates = data.get("aggregate") or {}
        for name, limits in (data.get("groups") or {}).items():
            yield Group(
                name=name,
                members=frozenset(limits.get("members", ())),
                unix_groups=frozenset(limits.get("unix_groups", ())),
                layer=self.layer(limits, ("groups", name)),
                aggregate=self.layer(aggregates.get(name), ("aggregate", name), AGGREGATE_KEYS),
            )

    def exemptions(self, listed: Iterable[Data]) -> Iterable[Exemption]:
        for index, given in enumerate(listed):
            yield Exemption(
                login=given["user"],
                keys=frozenset(given["keys"]),
                until=given["until"],
                reason=given["reason"],
                source=self.source(("exemptions", index)),
            )


def _rules(data: Data) -> dict[str, Any]:
    """Every key of ``policy`` by flat name."""
    flat: dict[str, Any] = {name: key.default for name, key in RULES.items()}
    for name in flat:
        section, _, key = name.rpartition(".")
        holder = data.get(section) if section else data
        if holder and key in holder:
            flat[name] = holder[key]
    return flat


def _lifecycle(value: Data) -> LifecycleRules:
    return LifecycleRules(
        idle=IdleRule(
            gpu_below=value["idle.gpu_below"],
            cpu_below=value["idle.cpu_below"],
            network_below_bytes=value["idle.network_below"],
            window=value["idle.window"],
            start_grace=value["idle.start_grace"],
        ),
        busy=BusyRule(above=value["busy.above"], idle_times=value["busy.idle_times"]),
        keep_alive_max=value["keep_alive.max"],
        extend_max=value["extend.max"],
        never_started=value["never_started"],
    )


def _gpus(data: Data) -> GpuSettings:
    built_in = GpuSettings()
    return GpuSettings(
        source=data.get("source", built_in.source),
        simulated=tuple(data.get("simulated", built_in.simulated)),
        attach=data.get("attach", built_in.attach),
    )


def _images(data: Data) -> ImageSettings:
    built_in = ImageSettings()
    return ImageSettings(
        bases=_bases(data.get("bases") or {}),
        ca=data.get("ca", built_in.ca),
        build_env=dict(data.get("build_env") or {}),
        registries=tuple(data.get("registries", built_in.registries)),
        protected=tuple(data.get("protected", built_in.protected)),
    )


def _docker(data: Data) -> DockerSettings:
    built_in = DockerSettings()
    return DockerSettings(
        root_rule=RootRule(data.get("root", built_in.root_rule)),
        networks=data.get("networks", built_in.networks),
        host_ports=tuple(data.get("host_ports", built_in.host_ports)),
        default_bridge=BridgeRule(data.get("default_bridge", built_in.default_bridge)),
        known_holes=HolesRule(data.get("known_holes", built_in.known_holes)),
        outside_rule=OutsideRule(data.get("outside", built_in.outside_rule)),
        outside_allowed=tuple(data.get("outside_allowed", built_in.outside_allowed)),
        observe_until=data.get("observe_until"),
    )


def _notices(data: Data) -> NoticeSettings:
    built_in, given = MailSettings(), data.get("mail") or {}
    return NoticeSettings(
        mail=MailSettings(
            **{each.name: given.get(each.name, getattr(built_in, each.name)) for each in fields(built_in)}
        ),
        webhooks=tuple(data.get("webhooks", ())),
    )


def _bases(data: Data) -> tuple[BaseImage, ...]:
    """The built-in catalogue with the file's changes, then the file's own bases."""
    bases = {base.name: base for base in ImageSettings().bases}
    for name, given in data.items():
        values = _built_in(bases.get(name), given)
        if "size" in given:
            values["size_bytes"] = given["size"]
        values.update({key: value for key, value in given.items() if key != "size"})
        bases[name] = _pinned(BaseImage(**{"description": "", **values, "name": name}))
    return tuple(bases.values())


def _built_in(known: BaseImage | None, given: Data) -> dict[str, Any]:
    """What the file does not say of a built-in base. Of another image than the built-in one, nothing but the words."""
    if known is None:
        return {}
    if "reference" in given:
        return {"description": known.description}
    return {field.name: getattr(known, field.name) for field in fields(BaseImage)}


def _pinned(base: BaseImage) -> BaseImage:
    """A base with a digest is called by it: whatever its tag is moved to, projects build on the same image."""
    if not base.digest or "@" in base.reference:
        return base
    return replace(base, reference=f"{repository(with_tag(base.reference))}@{base.digest}")
