"""What may stand where in a limits file, as pydantic models: unknown keys refused, every value read by its kind.

The limits and the lifecycle's rules come from their registries, so the models of these sections are built from
them; the rest is written out. All models see text only (``located``) and say in one sentence what they expected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from ipaddress import IPv4Network
from types import GenericAlias
from typing import Annotated, Any, Self, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model, model_validator

from ds01.config import texts
from ds01.config.rules import RULES
from ds01.config.texts import Line, Text, choice, limit, reader
from ds01.domain.container import Door
from ds01.domain.limit_keys import AGGREGATE_KEYS, KEYS, Key, Kind
from ds01.domain.limits import LIFECYCLE_KEYS
from ds01.domain.settings import POOL

_CO2 = Key(name="co2", kind=Kind.NUMBER, default=None, nullable=True, meaning="")
_SIZE = Key(name="size", kind=Kind.SIZE, default=0, meaning="")


class Section(BaseModel):
    """A mapping of known keys. A section with nothing in it is an empty one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing(cls, value: Any) -> Any:
        if value is None or value == "":
            return {}
        if not isinstance(value, dict):
            return value
        names = {name for name, field in cls.model_fields.items() if get_origin(field.annotation) is dict}
        return {key: {} if key in names and item in (None, "") else item for key, item in value.items()}


def _section(name: str, keys: Mapping[str, Key], base: type[BaseModel] = Section) -> type[BaseModel]:
    """A model with these flat keys; ``gpus.max`` becomes ``max`` in a model under ``gpus``."""
    fields: dict[str, Any] = {}
    for prefix in dict.fromkeys(flat.split(".")[0] for flat in keys):
        if prefix in keys:
            key = keys[prefix]
            fields[prefix] = (Annotated[Any, limit(key)], Field(default=key.default, description=key.meaning))
            continue
        inner = {flat.split(".", 1)[1]: key for flat, key in keys.items() if flat.startswith(prefix + ".")}
        fields[prefix] = (_section(f"{name}_{prefix}", inner), Field(default=None))
    return create_model(name, __base__=base, **fields)


def _only(keys: Iterable[str]) -> dict[str, Key]:
    wanted = frozenset(keys)
    return {name: key for name, key in KEYS.items() if name in wanted}


# The sections ----------------------------------------------------------------------------------------
Defaults = _section("Defaults", {name: key for name, key in KEYS.items() if name != "admin"})
UserLimits = _section("UserLimits", {name: key for name, key in KEYS.items() if name != "group_shares"})
DoorLimits = _section("DoorLimits", _only(LIFECYCLE_KEYS))
Aggregate = _section("Aggregate", {name: replace(KEYS[name], nullable=False) for name in AGGREGATE_KEYS})
Rules = _section("Rules", RULES)


class GroupExtras(Section):
    """What a group has besides limits: who is in it."""

    members: list[Text] = Field(default=[], description='logins, or `"*"` for everybody who is in no other group')
    unix_groups: list[Text] = Field(default=[], description="Unix groups whose members are in this group")


GroupLimits = _section("GroupLimits", KEYS, GroupExtras)


class Exemption(Section):
    """A limit that is lifted for one user until a time."""

    user: Text = Field(description="the login")
    keys: list[Annotated[str, reader(texts.lifted)]] = Field(alias="from", description="the limits that are lifted")
    until: Annotated[datetime, reader(texts.until)] = Field(
        description="when it ends, with its zone, like `2026-12-20T18:00Z`"
    )
    reason: Text = Field(description="why; shown to the user and kept in the record")


class Gpus(Section):
    """Where GPUs come from and how they get into containers."""

    source: Annotated[str, reader(choice("auto", "nvml", "simulated"))] = Field(
        default="auto", description="`auto` (NVML, else simulated), `nvml` or `simulated`"
    )
    simulated: list[Annotated[str, BeforeValidator(texts.simulated)]] = Field(
        default=["a100-40gb"] * 4,
        description='GPUs to simulate: a model, with MIG instances as `"a100-40gb: 3g.20gb 2g.10gb 2g.10gb"`',
    )
    attach: Annotated[str, reader(choice("auto", "cdi", "nvidia", "simulated"))] = Field(
        default="auto", description="`auto`, `cdi` (engine 25 or newer), `nvidia` (container toolkit) or `simulated`"
    )


class Base(Section):
    """One entry of the catalogue of bases."""

    reference: Annotated[str, reader(texts.reference)] = Field(default="", description="the image; a new base needs it")
    description: Line = Field(default="", description="one line for whoever chooses")
    python: Text = Field(default="python3", description="the interpreter in it that projects build on")
    digest: Annotated[str, reader(texts.digest)] = Field(default="", description="the `sha256:…` it is pinned to")
    size: Annotated[int, limit(_SIZE)] = Field(default=0, description="how large it is, for whoever chooses")
    cuda: Line = Field(default="", description="the CUDA version in it")
    driver: Line = Field(default="", description="the oldest NVIDIA driver it runs with")


class Images(Section):
    """Images: what projects build on, and what every build gets."""

    bases: dict[str, Base] = Field(
        default={}, description="the catalogue of bases: adds to the built-in one, or changes an entry of it"
    )
    ca: Annotated[str, reader(texts.folder)] = Field(
        default="", description="a PEM file of certificates that every generated image and build trusts"
    )
    build_env: dict[str, Line] = Field(
        default={}, description="environment of every build and generated image: proxies, mirrors"
    )
    registries: list[Annotated[str, reader(texts.host)]] = Field(
        default=["docker.io"], description="registries that users may pull from"
    )
    protected: list[Text] = Field(default=["ds01/*"], description="patterns of image names that no user may write")


class Docker(Section):
    """Containers that users make through plain Docker."""

    root: Annotated[str, reader(choice("guarded", "denied", "allowed"))] = Field(
        default="guarded",
        description="whether they may run as root when no folder of the host is in them. `guarded`: where ds01-runc is "
        "the engine's default runtime; `denied`: never; `allowed`: also without it, only on a server where no user has "
        "a shell, because root in a container that is handed an open folder of the host is root on the host",
    )
    networks: Annotated[IPv4Network, reader(texts.pool)] = Field(
        default=POOL,
        description="the pool of addresses that every network of users gets a small range of; nothing else may use it",
    )
    host_ports: list[Annotated[int, reader(texts.port)]] = Field(
        default=[53], description="ports of this server that users' containers may reach; all others are closed to them"
    )
    default_bridge: Annotated[str, reader(choice("closed", "open"))] = Field(
        default="closed",
        description="the engine's default bridge, where steps of BuildKit's builds are and containers that root makes. "
        "`closed`: what is on it reaches names and the way out, not each other nor this server (but `host_ports`); "
        "`open`: as the engine leaves it, for containers of yours that need services of this server",
    )
    known_holes: Annotated[str, reader(choice("told", "refused"))] = Field(
        default="told",
        description="what becomes of a runc with known ways out of a container, and of NVIDIA's toolkit before 1.17.8. "
        "`told`: `ds01 doctor` says so; `refused`: until they are newer only admins start and build anything, or have "
        "GPUs in other images than the server's own. Leave it where your distribution mends without a new number",
    )
    outside: Annotated[str, reader(choice("told", "stopped"))] = Field(
        default="told",
        description="what becomes of containers that root makes beside DS01. `told`: they run, an event and `doctor` "
        "say so, and no GPU they may use is leased to anybody; `stopped`: they are stopped within seconds. What bears "
        "a user's name or is in a user's cgroup is always stopped",
    )
    outside_allowed: list[Line] = Field(
        default=[], description="names of such containers, with `*`, that are yours: they are never touched nor told"
    )
    observe_until: Annotated[datetime, reader(texts.until)] | None = Field(
        default=None,
        description="UNSAFE, for getting to know what users do before DS01 is in force: until this time the gateway "
        "lets through what it would refuse, and writes it down (`ds01 admin door report`). Like `2026-12-20T18:00Z`",
    )


class Energy(Section):
    """What the server's power means."""

    co2: Annotated[float | None, limit(_CO2)] = Field(
        default=None, description="grams of CO2 for a kilowatt-hour of your grid; shown by `ds01 usage`"
    )


class MailSection(Section):
    """The mail server notices are handed to."""

    server: Annotated[str, reader(texts.host)] = Field(
        default="", description="the mail server, like `smtp.lab.lan:25`; without one no mail is sent"
    )
    sender: Text = Field(default="", description="the address that mail comes from; by default `ds01@` and the server")
    domain: Text = Field(default="", description="makes a login an address, for users who gave none")
    security: Annotated[str, reader(choice("none", "starttls", "tls"))] = Field(
        default="none", description="how the connection is protected: `none`, `starttls` or `tls`"
    )
    user: Text = Field(default="", description="the login at the mail server; needs `starttls` or `tls`")
    password_file: Annotated[str, reader(texts.folder)] = Field(
        default="", description="a file of root's with mode 0600; its first line is the password"
    )
    ca: Annotated[str, reader(texts.folder)] = Field(
        default="", description="a PEM file whose certificates are believed besides the system's"
    )

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> Self:
        if self.user and self.security == "none":
            raise texts.refusal("a login needs security: starttls or tls, or others on the way could read the password")
        if self.user and not self.password_file:
            raise texts.refusal("a login needs a password_file, like /etc/ds01/mail-password with mode 0600")
        return self


class Notices(Section):
    """How users can be told besides their terminals."""

    mail: MailSection | None = Field(default=None, description="mail")
    webhooks: list[Annotated[str, reader(texts.host)]] = Field(
        default=[], description="hosts that users' webhooks may be at, like `hooks.slack.com` or `ntfy.sh`"
    )


def _many(model: type[BaseModel], description: str) -> Any:
    """A mapping of names to sections."""
    return GenericAlias(dict, (str, model)), Field(default={}, description=description)


def _one(model: type[BaseModel], description: str) -> Any:
    return model, Field(default=None, description=description)


_DOORS: dict[str, Any] = {door.value: _one(DoorLimits, f"containers made through {door.value}") for door in Door}
Doors = create_model("Doors", __base__=Section, **_DOORS)

_FILE: dict[str, Any] = {
    "defaults": _one(Defaults, "limits of everybody"),
    "groups": _many(GroupLimits, "limits of a group of users, and who is in it"),
    "users": _many(UserLimits, "limits of one user, by login"),
    "doors": _one(Doors, "lifecycle limits of containers by how they came to be"),
    "policy": _one(Rules, "how the limits of time are applied"),
    "exemptions": (list[Exemption], Field(default=[], description="limits lifted for one user for a while")),
    "aggregate": _many(Aggregate, "limits of all containers of one user together, by group"),
    "gpus": _one(Gpus, "where GPUs come from and how they get into containers"),
    "images": _one(Images, "what projects build on, and what every build gets"),
    "docker": _one(Docker, "containers that users make through plain Docker"),
    "energy": _one(Energy, "what the server's power means"),
    "notices": _one(Notices, "how users can be told besides their terminals"),
    "shares": (
        list[Annotated[str, reader(texts.share)]],
        Field(default=[], description="folders of shared data, mounted read-only by whoever may read them"),
    ),
}
File = create_model("File", __base__=Section, **_FILE)
"""A whole limits file."""


def written(value: Any) -> Any:
    """What a file says, as plain mappings and lists: the keys that were given, with their read values."""
    if isinstance(value, BaseModel):
        return {
            name: written(getattr(value, name)) for name in type(value).model_fields if name in value.model_fields_set
        }
    if isinstance(value, dict):
        return {name: written(item) for name, item in value.items()}
    return [written(item) for item in value] if isinstance(value, list) else value
