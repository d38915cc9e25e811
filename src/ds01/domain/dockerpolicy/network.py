"""How a container is reached and what it reaches: networks of its user, ports on loopback.

``default`` and ``bridge`` mean the user's own network, which only her containers are on. Others she makes herself. A
published port goes past the host's firewall, so it is published on 127.0.0.1 and in a range that no service of the
server uses. An address that was named is remembered: whether a limit allows it is not known here.
"""

from __future__ import annotations

import ipaddress
import re

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import AskedAddress, Case, Joined, Kept
from ds01.domain.dockerpolicy.config import port
from ds01.domain.dockerpolicy.field import DROP, Dropped, Field, judge_struct
from ds01.domain.dockerpolicy.isolation import container_ref
from ds01.domain.dockerpolicy.names import NETWORK_NAME
from ds01.domain.dockerpolicy.portcount import check_number
from ds01.domain.dockerpolicy.strictjson import Json, is_zero
from ds01.domain.dockerpolicy.verdict import absent, malformed, not_allowed
from ds01.domain.publish import LOOPBACK

PORTS = range(8000, 32768)
"""Host ports users may name: above the well-known ones, below those the kernel hands out."""

RESERVED_PORTS = frozenset(range(9090, 9111)) | frozenset(range(9400, 9451))
"""Where monitoring of GPU servers usually listens."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
HOST_ENTRY = re.compile(r"[A-Za-z0-9_.-]{1,253}[:=]([0-9A-Fa-f.:\[\]]{2,45}|host-gateway)")
_DNS_OPTION = re.compile(r"[A-Za-z0-9:_.-]{1,64}")
_FOREIGN_OPTION = re.compile(r"(?!com\.docker\.)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}")
_OWN_NETWORK = ("", "default", "bridge")


def _mode(case: Case, value: Json) -> Kept | Dropped:
    mode = shape.text("NetworkMode", value)
    if mode.startswith("container:"):
        case.wants_network = False
        return Joined(prefix="container:", ref=container_ref(mode.removeprefix("container:")))
    if mode == "none":
        case.wants_network = False
        return "none"
    case.network = meant(mode)
    return DROP


def meant(name: str) -> str:
    """What a user calls a network; empty for her own. Whether there is such a one is found out later."""
    if name == "host":
        raise not_allowed(
            "create.network", "the host's network", "Leave it out: containers get a network of their own."
        )
    if name in _OWN_NETWORK:
        return ""
    if not NETWORK_NAME.fullmatch(name):
        raise absent("network", name)
    return name


def endpoints(case: Case, value: Json) -> dict[str, dict[str, Kept]]:
    """What ``NetworkingConfig`` says of each network the container is on."""
    read = shape.struct("NetworkingConfig", value, shape.names("EndpointsConfig"))
    found = shape.mapping("EndpointsConfig", read.get("EndpointsConfig"))
    judged: dict[str, dict[str, Kept]] = {}
    for name, settings in found.items():
        if name == "none":
            continue
        network = meant(name)
        if network in judged:
            raise malformed("create.network", f"the network {name!r} is there twice")
        judged[network] = judge_struct("EndpointsConfig", settings, ENDPOINT, case)
    return judged


def _aliases(case: Case, value: Json) -> Json:
    del case
    found: list[Json] = []
    for name in shape.texts("Aliases", value):
        if not _NAME.fullmatch(name):
            raise malformed("create.network", f"{name!r} cannot be a network alias")
        found.append(name)
    return found


def links(case: Case, value: Json) -> Kept | Dropped:
    """``name`` or ``name:alias``, each of the user's own containers."""
    del case
    found = []
    for entry in shape.texts("Links", value):
        ref, _, alias = entry.partition(":")
        if alias and not _NAME.fullmatch(alias.removeprefix("/")):
            raise malformed("create.links", f"{alias!r} cannot be an alias")
        found.append(Joined(prefix="", ref=container_ref(ref.removeprefix("/")), suffix=f":{alias or ref}"))
    return found or DROP


def _bindings(case: Case, value: Json) -> Json:
    found: dict[str, Json] = {}
    named = shape.mapping("PortBindings", value)
    check_number(sum(len(entries) for entries in named.values() if isinstance(entries, list)))
    for key, entries in named.items():
        bindings: list[Json] = []
        for entry in shape.items("PortBindings", entries):
            binding = shape.struct("PortBindings", entry, shape.names("HostIp", "HostPort"))
            wanted = shape.text("HostIp", binding.get("HostIp"))
            if wanted not in ("", LOOPBACK):
                case.addresses.append(AskedAddress(port=port(key), place=len(bindings), address=wanted))
            host = _host_port(case, key, shape.text("HostPort", binding.get("HostPort")))
            if host:
                case.ports.append(int(host))
            bindings.append({"HostIp": LOOPBACK, "HostPort": host})
        found[port(key)] = bindings or [{"HostIp": LOOPBACK, "HostPort": ""}]  # as engines read it
    return found


def _host_port(case: Case, key: str, text: str) -> str:
    """The host port, or none for a free one: who names a port that is not for users gets another and is told.

    Compose files name 80 and 3000; they are to start, and not to stand where people look for a service of the server.
    """
    if text in ("", "0"):
        return ""
    if not text.isdecimal() or not text.isascii() or len(text) > 5 or int(text) > 65535:
        raise malformed("create.ports", f"the host port {text!r} must be one number", "Or leave it empty.")
    if int(text) in PORTS and int(text) not in RESERVED_PORTS:
        return str(int(text))
    what = f"port {key} gets a free host port (docker port shows it), because {int(text)} is not for users"
    case.changed("create.ports", f"{what}: those are {PORTS.start} to {PORTS.stop - 1}", told=True)
    return ""


def _publish_all(case: Case, value: Json) -> Dropped:
    case.publish_all = shape.flag("PublishAllPorts", value)
    return DROP


def _dns(case: Case, value: Json) -> Json:
    del case
    found: list[Json] = []
    for address in shape.texts("Dns", value):
        try:
            found.append(str(ipaddress.ip_address(address)))
        except ValueError as error:
            raise malformed("create.dns", f"{address!r} is no IP address") from error
    return found


def _matching(name: str, rule: str, pattern: re.Pattern[str]) -> Field:
    def judge(case: Case, value: Json) -> Json:
        del case
        found = shape.texts(name, value)
        for entry in found:
            if not pattern.fullmatch(entry):
                raise malformed(rule, f"{entry!r} cannot be in {name}")
        return list(found)

    return Field(name=name, rule=rule, says="kept, in the characters such entries have", judge=judge)


def _volumes_from(case: Case, value: Json) -> Kept | Dropped:
    del case
    found = []
    for entry in shape.texts("VolumesFrom", value):
        ref, _, mode = entry.partition(":")
        if mode not in ("", "ro", "rw"):
            raise malformed("create.volumes-from", f"{mode!r} is no mode of --volumes-from")
        found.append(Joined(prefix="", ref=container_ref(ref), suffix=f":{mode}" if mode else ""))
    return found or DROP


def _addresses(case: Case, value: Json) -> Kept | Dropped:
    """An address of one's own choice, within the network: the engine sees to that."""
    del case
    read = shape.struct("IPAMConfig", value, shape.names("IPv4Address", "IPv6Address", "LinkLocalIPs"))
    for name in ("IPv6Address", "LinkLocalIPs"):
        if not is_zero(read.get(name)):
            raise not_allowed("create.network", f"{name} of a network endpoint", "Use an IPv4 address.")
    wanted = shape.text("IPv4Address", read.get("IPv4Address"))
    return {"IPv4Address": address(wanted)} if wanted else DROP


def address(text: str) -> str:
    """An IPv4 address as it is written."""
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError as error:
        raise malformed("create.network", f"{text!r} is no IPv4 address") from error


def _driver_options(case: Case, value: Json) -> Kept | Dropped:
    del case
    found: dict[str, Json] = {}
    for key, setting in shape.text_map("DriverOpts", value).items():
        if not _FOREIGN_OPTION.fullmatch(key):
            raise not_allowed("create.network", f"the option {key[:40]} of a network endpoint", "Leave it out.")
        found[key] = setting
    return found or DROP


def _priority(case: Case, value: Json) -> Kept | Dropped:
    del case
    return shape.integer("GwPriority", value) or DROP


def _left_out(case: Case, value: Json) -> Dropped:
    if not is_zero(value):
        case.changed("create.network", "an address of a network endpoint left out")
    return DROP


ENDPOINT: tuple[Field, ...] = (
    Field(name="Aliases", rule="create.network", judge=_aliases, says="kept; your container's name is added"),
    Field(name="Links", rule="create.links", judge=links, says="your own containers"),
    Field(name="IPAMConfig", rule="create.network", judge=_addresses, says="an IPv4 address within the network"),
    Field(name="GwPriority", rule="create.network", judge=_priority, says="kept"),
    Field(name="DriverOpts", rule="create.network", judge=_driver_options,
          says="kept, when no driver of the engine reads them (`com.docker.*`)"),
    *(
        Field(name=name, rule="create.network", says="left out", judge=_left_out)
        for name in ("MacAddress", "NetworkID", "EndpointID", "Gateway", "IPAddress", "IPPrefixLen", "IPv6Gateway",
                     "GlobalIPv6Address", "GlobalIPv6PrefixLen", "DNSNames")
    ),
)  # fmt: skip
"""The fields of one endpoint of ``NetworkingConfig``."""


NETWORK: tuple[Field, ...] = (
    Field(name="NetworkMode", rule="create.network", judge=_mode,
          says="a network of yours (`bridge` and `default` mean your own one), `none`, or `container:` of your own; "
               "never the host's"),
    Field(name="Links", rule="create.links", judge=links, says="your own containers"),
    Field(name="VolumesFrom", rule="create.volumes-from", judge=_volumes_from,
          says="your own containers, when they have no folder of the host"),
    Field(name="PortBindings", rule="create.ports", judge=_bindings,
          says=f"on {LOOPBACK}, or on an address that is named and that the limit `publish` allows; host ports"
               f" {PORTS.start} to {PORTS.stop - 1} without those of monitoring, or any free"),
    Field(name="PublishAllPorts", rule="create.ports", judge=_publish_all,
          says=f"every exposed port on {LOOPBACK}, any free host port"),
    Field(name="Dns", rule="create.dns", judge=_dns, says="IP addresses"),
    _matching("DnsOptions", "create.dns", _DNS_OPTION),
    _matching("DnsSearch", "create.dns", re.compile(r"\.|[A-Za-z0-9_.-]{1,253}")),
    _matching("ExtraHosts", "create.hosts", HOST_ENTRY),
)  # fmt: skip
"""The fields of ``HostConfig`` about the network and other containers."""
