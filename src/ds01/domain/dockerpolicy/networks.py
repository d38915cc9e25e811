"""``POST /networks/create``, ``connect`` and ``disconnect``: bridges in DS01's pool, each of one user.

Options of a driver reach the host's interfaces and its firewall, so there is a list of harmless ones. A range of
addresses of one's own choice is checked against the pool by ds01d, which knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Asker, Case, Kept
from ds01.domain.dockerpolicy.field import DROP, Dropped, Field, judge_struct, kept, must_be_empty
from ds01.domain.dockerpolicy.isolation import container_ref
from ds01.domain.dockerpolicy.labels import labels
from ds01.domain.dockerpolicy.names import network_name
from ds01.domain.dockerpolicy.network import ENDPOINT, address
from ds01.domain.dockerpolicy.strictjson import Json, is_zero
from ds01.domain.dockerpolicy.verdict import Change, EngineWordsError, malformed, not_allowed

BRIDGE = "com.docker.network.bridge."
MTU = "com.docker.network.driver.mtu"
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    BRIDGE + "enable_icc": ("true", "false"),
    BRIDGE + "enable_ip_masquerade": ("true",),
    BRIDGE + "host_binding_ipv4": (),
    BRIDGE + "default_bridge": ("false",),
}
"""Options with the values that are kept; with none, the option is left out."""

_MTU = range(576, 9001)


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """A judged network. ``range`` is empty when DS01 chooses it."""

    name: str
    labels: Mapping[str, str]
    options: Mapping[str, str]
    internal: bool
    range: str = ""
    gateway: str = ""
    ip_range: str = ""
    reserved: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()


def judge_network(body: dict[str, Json], asker: Asker) -> NetworkPlan:
    """The plan of a create. Raises RefusedError."""
    case = Case(asker=asker)
    found = cast(dict[str, Json], judge_struct("", body, NETWORK, case))
    ranges = shape.mapping("IPAM", found.get("IPAM"))
    return NetworkPlan(
        name=network_name(shape.text("Name", found.get("Name"))),
        labels=shape.text_map("Labels", found.get("Labels"), multiline=True),
        options=shape.text_map("Options", found.get("Options")),
        internal=shape.flag("Internal", found.get("Internal")),
        range=shape.text("Subnet", ranges.get("Subnet")),
        gateway=shape.text("Gateway", ranges.get("Gateway")),
        ip_range=shape.text("IPRange", ranges.get("IPRange")),
        reserved=shape.text_map("AuxiliaryAddresses", ranges.get("AuxiliaryAddresses")),
        changes=tuple(case.changes),
    )


_ENGINES = ("host", "null", "none", "macvlan", "ipvlan", "overlay")


def _driver(case: Case, value: Json) -> Dropped:
    del case
    name = shape.text("Driver", value)
    if name not in ("", "default", "bridge", *_ENGINES):
        raise EngineWordsError("networks.driver", f'plugin "{name}" not found', status=404)
    if name in _ENGINES:
        raise not_allowed("networks.driver", f"the network driver '{name}'", "Use bridge.")
    return DROP


def _options(case: Case, value: Json) -> Json:
    found: dict[str, Json] = {}
    for key, setting in shape.text_map("Options", value).items():
        if key == MTU and setting.isdecimal() and int(setting) in _MTU:
            found[key] = str(int(setting))
        elif key not in _OPTIONS or (_OPTIONS[key] and setting not in _OPTIONS[key]):
            raise not_allowed("networks.options", f"the network option {key}={setting}", "Leave it out.")
        elif not _OPTIONS[key]:
            case.changed("networks.options", f"{key} left out: ports are published on loopback")
        else:
            found[key] = setting
    return found


_IPAM = shape.names("Driver", "Options", "Config")
_RANGE = shape.names("Subnet", "IPRange", "Gateway", "AuxiliaryAddresses")


def _ipam(case: Case, value: Json) -> Json | Dropped:
    del case
    read = shape.struct("IPAM", value, _IPAM)
    if shape.text("IPAM.Driver", read.get("Driver")) not in ("", "default") or not is_zero(read.get("Options")):
        raise not_allowed("networks.addresses", "another way of handing out addresses", "Leave IPAM out.")
    ranges = [shape.struct("IPAM.Config", item, _RANGE) for item in shape.items("IPAM.Config", read.get("Config"))]
    if len(ranges) > 1:
        raise not_allowed("networks.addresses", "more than one range of addresses", "Use one.")
    return _range(ranges[0]) if ranges else DROP


def _range(read: shape.Struct) -> Json | Dropped:
    found: dict[str, Json] = {}
    for name in ("Subnet", "IPRange"):
        text = shape.text(name, read.get(name))
        if text:
            number, slash, length = text.partition("/")
            if not slash or not length.isdecimal() or len(length) > 2:
                raise malformed(
                    "networks.addresses", f"{text!r} is no range of addresses", "Write it like 198.18.0.0/26."
                )
            found[name] = f"{address(number)}/{int(length)}"
    gateway = shape.text("Gateway", read.get("Gateway"))
    if gateway:
        found["Gateway"] = address(gateway)
    extra = shape.text_map("AuxiliaryAddresses", read.get("AuxiliaryAddresses"))
    if extra:
        found["AuxiliaryAddresses"] = {name: address(text) for name, text in extra.items()}
    if found and "Subnet" not in found:
        raise malformed("networks.addresses", "IPAM names addresses without a Subnet", "Add it, or leave IPAM out.")
    return found or DROP


def _name(case: Case, value: Json) -> Json:
    del case
    return shape.text("Name", value)


def _labels(case: Case, value: Json) -> Json:
    return {**labels(case, value)}


def _ignored(name: str, why: str) -> Field:
    def judge(case: Case, value: Json) -> Dropped:
        del case
        shape.flag(name, value)
        return DROP

    return Field(name=name, rule="networks.create", says=why, judge=judge)


NETWORK: tuple[Field, ...] = (
    Field(name="Name", rule="networks.name", judge=_name, says="yours alone: everybody may have a network `app`"),
    Field(name="Driver", rule="networks.driver", judge=_driver, says="empty or `bridge`"),
    Field(name="Options", rule="networks.options", judge=_options,
          says=f"`{MTU}`, `{BRIDGE}enable_icc`; never names of interfaces, bindings, parents"),
    Field(name="IPAM", rule="networks.addresses", judge=_ipam,
          says="one range, inside the pool of `docker.networks` in limits.yaml; better none: DS01 chooses"),
    Field(name="Labels", rule="create.labels", judge=_labels, says="kept, without `ds01.*`"),
    kept("Internal", "networks.create", "kept", shape.flag),
    _ignored("CheckDuplicate", "always on"),
    _ignored("Attachable", "left out: it means something in a swarm only"),
    must_be_empty("EnableIPv6", "networks.addresses", "a network with IPv6"),
    _ignored("EnableIPv4", "always on"),
    must_be_empty("Scope", "networks.create", "a network of a swarm", also=("local",)),
    must_be_empty("Ingress", "networks.create", "a network of a swarm"),
    must_be_empty("ConfigOnly", "networks.create", "a network made of another's configuration"),
    must_be_empty("ConfigFrom", "networks.create", "another's configuration", also=({"Network": ""},)),
)  # fmt: skip
"""Every field of a network there is a rule for."""


@dataclass(frozen=True, kw_only=True)
class ConnectPlan:
    """A judged connect or disconnect. ``endpoint`` may name other containers."""

    container: str
    endpoint: Mapping[str, Kept]
    force: bool = False
    changes: tuple[Change, ...] = ()


def judge_connect(body: dict[str, Json], asker: Asker) -> ConnectPlan:
    """Who is to be on the network, and how."""
    case, read = Case(asker=asker), shape.struct("", body, shape.names("Container", "EndpointConfig"))
    endpoint = judge_struct("EndpointConfig", read.get("EndpointConfig"), ENDPOINT, case)
    return ConnectPlan(
        container=container_ref(shape.text("Container", read.get("Container"))), endpoint=endpoint,
        changes=tuple(case.changes),
    )  # fmt: skip


def judge_disconnect(body: dict[str, Json]) -> ConnectPlan:
    """Who is to leave the network."""
    read = shape.struct("", body, shape.names("Container", "Force"))
    return ConnectPlan(
        container=container_ref(shape.text("Container", read.get("Container"))), endpoint={},
        force=shape.flag("Force", read.get("Force")),
    )  # fmt: skip
