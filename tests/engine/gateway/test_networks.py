"""Networks: everybody has her own, makes others under her own names, and reaches nobody else's."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from dev.engine import pool

from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, PATIENCE_SECONDS, Ground, User, wait
from tests.engine.gateway.steps import address_of_the_host, forward_chain, rules

pytestmark = [pytest.mark.engine, pytest.mark.root]
CLIENTS = ["docker", OLD_CLIENT]
LISTEN = "while true; do echo found | nc -l -p 99; done"
ASKING = r"""
for i in $(seq 300); do
    said=$(nc -w 2 $target 99 < /dev/null 2>&1) && [ -n "$said" ] && echo "$said" && exit
    case "$said" in *refused*|"") sleep 0.1;; *) elsewhere=x$elsewhere; [ $elsewhere != xxx ] || exit 1;; esac
done
"""
"""Where a connection is refused there is somebody, who listens anew each time; where it is not, three times are enough.
"""
RAW = r"""
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
    unsigned char frame[1500];
    struct sockaddr_ll at = {AF_PACKET, 0, if_nametoindex("eth0")};
    int s = socket(AF_PACKET, SOCK_RAW, 0), length = read(0, frame, sizeof frame);
    if (s < 0) { perror("socket"); return 1; }
    if (sendto(s, frame, length, 0, (void *)&at, sizeof at) != length) { perror("sendto"); return 2; }
    return 0;
}
"""
"""Sends the frame it is given, whatever is in it."""
PING = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int count, char **words) {
    unsigned char asked[8] = {8}, said[100];
    struct sockaddr_in at = {AF_INET};
    int s = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    if (count < 2 || s < 0) { perror("socket"); return 1; }
    inet_pton(AF_INET, words[1], &at.sin_addr);
    if (sendto(s, asked, sizeof asked, 0, (void *)&at, sizeof at) < 0) { perror("sendto"); return 2; }
    alarm(60);
    return recv(s, said, sizeof said, 0) >= 8 && said[0] == 0 ? 0 : 3;
}
"""
"""What every ``ping`` does that has no capability."""


@pytest.fixture(autouse=True)
def nothing_left(field: Ground, victim: Victim, untouched: None) -> Iterator[None]:
    """The networks of a test go with it."""
    yield
    field.clear({victim.id})
    for network in stored(field):
        field.root("DELETE", f"/networks/{network}")


def stored(field: Ground) -> set[str]:
    """What users made, as the engine names it."""
    return {row["Name"] for row in field.root("GET", "/networks").json if "._." in row["Name"]}


def names(user: User) -> set[str]:
    """What a user sees."""
    return {row["Name"] for row in user.call("GET", "/v1.41/networks").json}


def reaches(user: User, target: str, *flags: str, client: str = "docker") -> bool:
    """Whether a new container of hers hears what is said at a target."""
    script = f"target={target}; {ASKING}"
    return "found" in user.docker("run", "--rm", *flags, IMAGE, "sh", "-c", script, client=client).out


@pytest.mark.parametrize("client", CLIENTS)
def test_a_network_has_blanks_in_its_name_as_with_docker(
    mallory: User, alice: User, field: Ground, client: str
) -> None:
    """Also where it is compared with the engine's own words."""
    name = "my own net"
    for user in (alice, mallory):
        assert user.docker("network", "create", name, client=client).code == 0
        again = user.docker("network", "create", name, client=client)
        assert f"network with name {name} already exists" in again.err
        assert names(user) == {"bridge", "none", name}
        user.docker("run", "-d", "--name", "web", "--network", name, IMAGE, "sh", "-c", LISTEN, client=client)
        assert reaches(user, "web", "--network", name, client=client)
        assert user.docker("run", "-d", "--name", "other", IMAGE, "sleep", "100", client=client).code == 0
        assert user.docker("network", "connect", name, "other", client=client).code == 0
        (seen,) = json.loads(user.docker("network", "inspect", name, client=client).out)
        assert seen["Name"] == name
        assert {end["Name"] for end in seen["Containers"].values()} == {"web", "other"}
        (inspected,) = json.loads(user.docker("inspect", name, client=client).out)
        assert inspected["Id"] == seen["Id"]
        assert set(
            json.loads(user.docker("inspect", "other", client=client).out)[0]["NetworkSettings"]["Networks"]
        ) == {"bridge", name}
        assert user.docker("network", "disconnect", name, "other", client=client).code == 0
    assert len([each for each in stored(field) if each.startswith(name)]) == 2
    for user in (alice, mallory):
        assert user.docker("rm", "-f", "web", client=client).code == 0
        assert user.docker("network", "rm", name, client=client).code == 0
    assert not [each for each in stored(field) if each.startswith(name)]
    blank = {"Name": "  "}
    refused = mallory.call("POST", "/v1.41/networks/create", blank)
    assert (refused.status, refused.message) == (400, field.root("POST", "/networks/create", blank).message)
    for kind in ("containers", "networks", "volumes"):
        path = f"/{kind}/no%20such{'/json' if kind == 'containers' else ''}"
        ours, theirs = mallory.call("GET", f"/v1.41{path}"), field.root("GET", path)
        assert (ours.status, ours.message) == (theirs.status, theirs.message), kind


@pytest.mark.parametrize("client", CLIENTS)
def test_two_users_have_a_network_of_one_name(mallory: User, alice: User, field: Ground, client: str) -> None:
    for user in (alice, mallory):
        assert user.docker("network", "create", "--label", "a=b", "app", client=client).code == 0
        assert names(user) == {"bridge", "none", "app"}
        user.docker("run", "-d", "--name", "web", "--network", "app", IMAGE, "sh", "-c", LISTEN, client=client)
        assert reaches(user, "web", "--network", "app", client=client)
        assert not reaches(user, "web", client=client)
        (seen,) = json.loads(user.docker("network", "inspect", "app", client=client).out)
        assert (seen["Name"], seen["Labels"], [each["Name"] for each in seen["Containers"].values()]) == (
            "app", {"a": "b"}, ["web"],
        )  # fmt: skip
        (container,) = json.loads(user.docker("inspect", "web", client=client).out)
        assert list(container["NetworkSettings"]["Networks"]) == ["app"]
        assert container["HostConfig"]["NetworkMode"] == "app"
        assert "._." not in json.dumps((seen, container))
    assert stored(field) == {f"app._.{alice.uid}", f"app._.{mallory.uid}"}
    for user in (alice, mallory):
        assert "active endpoints" in user.docker("network", "rm", "app", client=client).err
        user.docker("rm", "-f", "web", client=client)
        assert user.docker("network", "rm", "app", client=client).out == "app\n"
    assert stored(field) == set()


@pytest.mark.parametrize("client", CLIENTS)
def test_connect_disconnect_and_names_of_more_than_one(mallory: User, client: str) -> None:
    for name in ("front", "back"):
        assert mallory.docker("network", "create", name, client=client).code == 0
    mallory.docker("run", "-d", "--name", "db", "--network", "back", IMAGE, "sh", "-c", LISTEN, client=client)
    assert not reaches(mallory, "db", "--network", "front", client=client)
    done = mallory.docker("network", "connect", "--alias", "store", "front", "db", client=client)
    assert done.code == 0, done.err
    for name in ("db", "store"):
        assert reaches(mallory, name, "--network", "front", client=client)
    again = mallory.docker("network", "connect", "front", "db", client=client)
    assert again.code != 0
    assert "already exists in network front" in again.err
    assert mallory.docker("network", "disconnect", "front", "db", client=client).code == 0
    assert not reaches(mallory, "db", "--network", "front", client=client)
    assert mallory.docker("run", "--rm", "--network", "bridge", IMAGE, "true", client=client).code == 0


def test_a_renamed_container_is_found_by_its_new_name(mallory: User) -> None:
    assert mallory.docker("network", "create", "app").code == 0
    common = ("--name", "old", "--network", "app", "--network-alias", "store", "-p", "127.0.0.1:18230:99", IMAGE)
    mallory.docker("run", "-d", *common, "sh", "-c", LISTEN)
    shown = ("inspect", "-f", '{{(index .NetworkSettings.Networks "app").Aliases}} {{.NetworkSettings.Ports}}', "old")
    before = mallory.docker(*shown).out
    assert mallory.docker("rename", "old", "new").code == 0
    for name, there in (("new", True), ("store", True), ("old", False)):
        assert reaches(mallory, name, "--network", "app") is there, name
    assert mallory.docker(*shown[:-1], "new").out == before
    assert mallory.docker("stop", "-t", "0", "new").code == 0
    assert mallory.docker("rename", "new", "newer").code == 0
    assert mallory.docker("start", "newer").code == 0
    for name, there in (("newer", True), ("store", True), ("new", False)):
        assert reaches(mallory, name, "--network", "app") is there, name


def test_a_rename_breaks_no_connection_that_needs_no_name(mallory: User, field: Ground) -> None:
    assert mallory.docker("network", "create", "app").code == 0
    for name, *flags in (("plain",), ("published", "--network", "app", "-p", "99")):
        made = mallory.docker("run", "-d", "--name", name, *flags, IMAGE, "sleep", "1000").out.strip()
        ends = unnamed(field, made)
        assert mallory.docker("rename", name, f"{name}-again").code == 0
        assert unnamed(field, made) == ends
        for again in (("stop", "-t", "0"), ("rename",), ("start",)):
            words = (*again, f"{name}-again", *(["last"] if again == ("rename",) else []))
            assert mallory.docker(*words if again != ("start",) else ("start", "last")).code == 0
        assert reaches(mallory, "last", "--network", "app") is False
        assert "last" in field.seen(made)["NetworkSettings"]["Networks"].popitem()[1]["Aliases"]
        assert mallory.docker("rm", "-f", "last").code == 0


def test_a_link_goes_whether_its_container_ever_ran_or_not(mallory: User, field: Ground) -> None:
    assert mallory.docker("run", "-d", "--name", "base", IMAGE, "sleep", "1000").code == 0
    for verb in (("create",), ("run", "-d")):
        done = mallory.docker(*verb, "--name", "linked", "--link", "base:db", IMAGE, "sleep", "1000")
        made = done.out.strip()
        assert mallory.docker("rm", "--link", "linked/db").code == 0, verb
        assert [not end["Links"] for end in field.seen(made)["NetworkSettings"]["Networks"].values()] == [True]
        assert mallory.docker("rm", "-f", "linked").code == 0


def unnamed(field: Ground, container: str) -> dict[str, Any]:
    """How a container is connected, without the names that newer engines list there and change with its own."""
    found: dict[str, Any] = field.seen(container)["NetworkSettings"]
    for end in found["Networks"].values():
        end.pop("DNSNames", None)
    return found


@pytest.mark.parametrize("client", CLIENTS)
def test_lists_filters_and_prune(mallory: User, alice: User, field: Ground, client: str) -> None:
    alice.docker("network", "create", "hers")
    mallory.docker("network", "create", "--label", "x=1", "mine", client=client)
    shown = "{{.Name}}"

    def listed(*flags: str) -> set[str]:
        return set(mallory.docker("network", "ls", "--format", shown, *flags, client=client).out.split())

    assert listed() == {"bridge", "none", "mine"}
    assert listed("--filter", "name=min") == {"mine"}
    assert listed("--filter", "label=x=1") == {"mine"}
    assert listed("--filter", "type=builtin") == {"bridge", "none"}
    assert listed("--filter", "type=custom") == {"mine"}
    network = mallory.docker("network", "inspect", "-f", "{{.Id}}", "mine", client=client).out.strip()
    assert mallory.docker("network", "inspect", "-f", shown, network[:12], client=client).out == "mine\n"
    for name in ("bridge", "none"):
        assert mallory.docker("network", "inspect", "-f", shown, name, client=client).out == f"{name}\n"
        assert mallory.docker("network", "rm", name, client=client).code != 0
    assert mallory.docker("network", "prune", "-f", client=client).out.split()[-1] == "mine"
    assert listed() == {"bridge", "none"}
    assert stored(field) == {f"hers._.{alice.uid}"}


@pytest.mark.parametrize("client", CLIENTS)
def test_o20_networks_of_another_are_not_there(
    mallory: User, alice: User, field: Ground, victim: Victim, client: str
) -> None:
    alice.docker("network", "create", "alice_net")
    known = alice.call("GET", "/v1.41/networks/alice_net").json["Id"]
    mine = mallory.runs("mine")
    foreign = ("alice_net", f"alice_net._.{alice.uid}", known, known[:12], f"ds01-u{alice.uid}", "host", "docker0")
    for name in foreign:
        assert mallory.docker("network", "connect", name, "mine", client=client).code != 0
        assert mallory.docker("network", "inspect", name, client=client).code != 0
        assert mallory.docker("network", "rm", name, client=client).code != 0
        assert mallory.docker("run", "--rm", "--network", name, "--pull", "never", IMAGE, "true").code != 0
        body = {"Container": mine, "EndpointConfig": {}}
        for verb in ("connect", "disconnect"):
            assert mallory.call("POST", f"/v1.41/networks/{name}/{verb}", body).status in (403, 404)
    assert mallory.call("POST", "/v1.41/networks/bridge/connect", {"Container": victim.id}).status == 404
    assert (
        mallory.call("POST", "/v1.41/networks/bridge/disconnect", {"Container": victim.id, "Force": True}).status == 404
    )
    assert known not in mallory.call("GET", "/v1.41/networks").body.decode()
    assert list(field.seen(mine)["NetworkSettings"]["Networks"]) == [f"ds01-u{mallory.uid}"]
    assert field.root("GET", f"/networks/{known}").json["Containers"] == {}


def test_o19_links_and_networks_of_hers(mallory: User, victim: Victim, alice: User) -> None:
    for ref in (victim.id, victim.id[:12], "victim", f"victim._.{alice.uid}"):
        ends = {"bridge": {"Links": [f"{ref}:x"]}}
        assert mallory.create(NetworkingConfig={"EndpointsConfig": ends}).status == 404
        assert mallory.create(HostConfig={"NetworkMode": f"container:{ref}"}).status == 404
        assert mallory.create(HostConfig={"Links": [f"{ref}:x"]}).status == 404


def test_d11_addresses_come_from_the_pool(mallory: User, field: Ground) -> None:
    of_users = IPv4Network(pool(field.engine.socket))
    for number in range(3):
        assert mallory.docker("network", "create", f"n{number}").code == 0
    ranges = [
        IPv4Network(config["Subnet"])
        for row in field.root("GET", "/networks").json if "._." in row["Name"]
        for config in row["IPAM"]["Config"]
    ]  # fmt: skip
    assert len(set(ranges)) == 3
    assert all(each.subnet_of(of_users) and each.prefixlen == 26 for each in ranges)
    for wish in ("10.0.0.0/8", "192.168.1.0/24", "0.0.0.0/0", str(of_users), "127.0.0.0/8", "169.254.0.0/16"):
        done = mallory.docker("network", "create", "--subnet", wish, "wish")
        assert done.code != 0, wish
    free = next(
        each for each in of_users.subnets(new_prefix=26) if not any(each.overlaps(used) for used in taken(field))
    )
    done = mallory.docker("network", "create", "--subnet", str(free), "wish")
    assert done.code == 0, done.err
    assert mallory.docker("run", "--rm", "--network", "wish", "--ip", str(free[9]), IMAGE, "true").code == 0


def taken(field: Ground) -> list[IPv4Network]:
    """The ranges in use."""
    rows = field.root("GET", "/networks").json
    return [IPv4Network(each["Subnet"]) for row in rows for each in row["IPAM"]["Config"] or ()]


@pytest.mark.parametrize(
    "body",
    [
        {"Driver": "macvlan"}, {"Driver": "ipvlan"}, {"Driver": "host"}, {"Driver": "overlay"}, {"driver": "null"},
        {"Options": {"com.docker.network.bridge.name": "docker0"}}, {"Options": {"parent": "eth0"}},
        {"Options": {"com.docker.network.bridge.gateway_mode_ipv4": "routed"}},
        {"Options": {"com.docker.network.bridge.trusted_host_interfaces": "eth0"}},
        {"Options": {"com.docker.network.bridge.enable_ip_masquerade": "false"}},
        {"ConfigFrom": {"Network": "x"}}, {"ConfigOnly": True}, {"Scope": "swarm"}, {"Ingress": True},
        {"EnableIPv6": True}, {"IPAM": {"Driver": "null"}}, {"IPAM": {"Options": {"a": "b"}}},
        {"IPAM": {"Config": [{"Gateway": "10.0.0.1"}]}}, {"IPAM": {"Config": [{"Subnet": "fd00::/64"}]}},
        {"IPAM": {"Config": [{"Subnet": "198.18.0.0/26"}, {"Subnet": "198.18.1.0/26"}]}}, {"New": 1},
        {"Name": "bridge"}, {"Name": "host"}, {"Name": "none"}, {"Name": "abcdef12"}, {"Name": "a b "},
        {"Name": "x._.1"},
    ],
)  # fmt: skip
def test_networks_that_are_refused(mallory: User, field: Ground, body: dict[str, Any]) -> None:
    assert mallory.call("POST", "/v1.41/networks/create", {"Name": "net", **body}).status in (400, 403)
    assert stored(field) == set()


def test_ports_of_ones_networks_are_on_loopback_whatever_is_asked(mallory: User, field: Ground) -> None:
    done = mallory.docker(
        "network", "create", "-o", "com.docker.network.bridge.host_binding_ipv4=0.0.0.0", "-o",
        "com.docker.network.driver.mtu=1400", "--attachable", "open",
    )  # fmt: skip
    assert done.code == 0, done.err
    (row,) = (row for row in field.root("GET", "/networks").json if row["Name"].startswith("open"))
    assert row["Options"] == {
        "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1", "com.docker.network.driver.mtu": "1400",
    }  # fmt: skip
    assert mallory.call("GET", "/v1.41/networks/open").json["Options"] == {"com.docker.network.driver.mtu": "1400"}


def test_d9_networks_are_counted(mallory: User, field: Ground) -> None:
    for number in range(10):
        assert mallory.call("POST", "/v1.41/networks/create", {"Name": f"n{number}"}).status == 201
    over = mallory.call("POST", "/v1.41/networks/create", {"Name": "one-more"})
    assert (over.status, "10 of 10 networks" in over.message) == (409, True)
    assert mallory.call("POST", "/v1.41/networks/create", {"Name": "n1"}).status == 409
    field.root("DELETE", f"/networks/n1._.{mallory.uid}")
    assert mallory.call("POST", "/v1.41/networks/create", {"Name": "one-more"}).status == 201


def test_d13_users_do_not_reach_each_other(mallory: User, alice: User, field: Ground) -> None:
    alice.docker("run", "-d", "--name", "jupyter", IMAGE, "sh", "-c", LISTEN)
    alice.docker("network", "create", "closed")
    alice.docker("network", "connect", "closed", "jupyter")
    assert reaches(alice, "jupyter")
    networks = field.seen(f"jupyter._.{alice.uid}")["NetworkSettings"]["Networks"]
    for end in networks.values():
        assert not reaches(mallory, end["IPAddress"])
    assert not reaches(mallory, "jupyter")


def test_d14_services_of_the_host_and_metadata_are_closed(mallory: User, field: Ground) -> None:
    """An exporter that listens everywhere is not for containers; a name lookup is."""
    mallory.runs("inner")
    gateway = mallory.call("GET", "/v1.41/networks/bridge").json["IPAM"]["Config"][0]
    address = gateway.get("Gateway") or str(IPv4Network(gateway["Subnet"])[1])
    with socket.create_server(("0.0.0.0", 0)) as service, address_of_the_host() as other:
        port = service.getsockname()[1]
        with socket.create_connection((other, port), timeout=PATIENCE_SECONDS):
            service.accept()[0].close()
        for target in (f"{address} {port}", f"{other} {port}", "169.254.169.254 80"):
            assert mallory.docker("exec", "inner", "nc", "-w", "2", *target.split(), given="").code != 0, target
        service.settimeout(0.5)
        with pytest.raises(TimeoutError):
            service.accept()


def test_d13_a_fence_that_is_emptied_stands_again(mallory: User, field: Ground) -> None:
    """Another engine on this host, or a reload of the firewall, empties chains."""
    mallory.runs("inner")
    chain = forward_chain(field)
    own = mallory.call("GET", "/v1.41/networks/bridge").json["IPAM"]["Config"][0]["Subnet"]
    before = lasting(chain, own)
    assert f"-d {pool(field.engine.socket)} -j DROP" in " ".join(before)
    assert any(f"-s {own} -d {own} -j RETURN" in rule for rule in before)
    subprocess.run(["iptables", "-w", "60", "-F", chain], check=True)
    wait(lambda: lasting(chain, own) == before)


def programs(user: User, image: str, **sources: str) -> str:
    """An image of hers with these programs."""
    context = user.folder(image)
    for name, source in sources.items():
        (context / f"{name}.c").write_text(source)
        subprocess.run(["gcc", "-static", "-o", context / name, context / f"{name}.c"], check=True)
    (context / "Dockerfile").write_text(f"FROM {IMAGE}\nCOPY {' '.join(sources)} /\n")
    built = user.docker("build", "-q", "-t", image, str(context))
    assert built.code == 0, built.err
    return image


@pytest.fixture
def raw(mallory: User, field: Ground) -> Iterator[str]:
    """An image of hers with a program that makes packets of its own, and one that asks the kernel to."""
    yield programs(mallory, "raw", raw=RAW, ping=PING)
    field.clear_images(mallory.uid)


def frames(container: str, field: Ground, victim: Victim, port: int) -> dict[str, bytes]:
    """Frames for this host: one by IPv6, one from an address of nowhere here, one from alice's."""
    (end,) = field.seen(container)["NetworkSettings"]["Networks"].values()
    mac = bytes.fromhex(end["MacAddress"].replace(":", ""))
    bridge = next(
        each for each in json.loads(subprocess.check_output(["ip", "-j", "addr"]))
        if any(address["local"] == end["Gateway"] for address in each["addr_info"])
    )  # fmt: skip
    ethernet = bytes.fromhex(bridge["address"].replace(":", "")) + mac
    (local,) = (address["local"] for address in bridge["addr_info"] if address["local"].startswith("fe80"))
    (hers,) = field.seen(victim.id)["NetworkSettings"]["Networks"].values()
    own, forged = "fe80::9", ("203.0.113.9", hers["IPAddress"])
    found = {f"from {source}": ethernet + b"\x08\0" + packet_4(source, end["Gateway"], port) for source in forged}
    return found | {"by IPv6": ethernet + b"\x86\xdd" + packet_6(own, local, port)}


def packet_4(source: str, target: str, port: int) -> bytes:
    """A datagram with its two headers."""
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 29, 1, 0, 64, 17, 0) + ends
    return head[:10] + checksum(head) + head[12:] + struct.pack("!HHHH", 999, port, 9, 0) + b"x"


def packet_6(source: str, target: str, port: int) -> bytes:
    """The same; here the datagram has a sum of its own."""
    ends = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    said = struct.pack("!HHHH", 999, port, 9, 0) + b"x"
    sum_ = checksum(ends + struct.pack("!II", 9, 17) + said + b"\0")
    return struct.pack("!IHBB", 6 << 28, 9, 17, 64) + ends + said[:6] + sum_ + said[8:]


def checksum(data: bytes) -> bytes:
    """The sum of the internet's headers."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", total ^ 0xFFFF)


def heard(listening: socket.socket, field: Ground, victim: Victim, container: str) -> set[str]:
    """Which of the frames that this container sends arrive at a service of this host."""
    found = set()
    for name, frame in frames(container, field, victim, listening.getsockname()[1]).items():
        for _ in range(3):
            command = ["docker", "-H", f"unix://{field.engine.socket}", "exec", "-i", container, "/raw"]
            subprocess.run(command, input=frame, capture_output=True, check=False)
            with contextlib.suppress(TimeoutError):
                listening.recv(10)
                found.add(name)
                break
    return found


@pytest.fixture
def roots_own(field: Ground, victim: Victim, nothing_left: None) -> Iterator[str]:
    """A network that root made beside DS01."""
    body = {"Name": "roots-own", "IPAM": {"Config": [{"Subnet": "192.0.2.0/26", "Gateway": "192.0.2.1"}]}}
    assert field.root("POST", "/networks/create", body).status == 201
    yield "roots-own"
    field.clear({victim.id})
    assert field.root("DELETE", "/networks/roots-own").status == 204


@pytest.fixture
def unfiltered() -> Iterator[None]:
    """A kernel that believes every sender: where it looks at the way back itself, the fence would not be tried."""
    before = {file: file.read_text() for file in Path("/proc/sys/net/ipv4/conf").glob("*/rp_filter")}
    for file in before:
        file.write_text("0")
    yield
    for file, value in before.items():
        if file.exists():
            file.write_text(value)


@pytest.mark.gcc
def test_d13_d14_packets_made_by_a_container_itself(
    mallory: User, field: Ground, victim: Victim, raw: str, unfiltered: None, roots_own: str
) -> None:
    """By IPv6, which no network of hers has, and from addresses that are not hers. From a container of root's they get
    through on a network of root's own, and not on hers nor on the engine's; a container of hers makes none.
    """
    hers = mallory.runs("hers", Image=raw)
    (network,) = field.seen(hers)["NetworkSettings"]["Networks"]
    image = field.root("GET", f"/images/{raw}/json").json["Id"]
    beside = {}
    for name in (roots_own, "bridge", network):
        body = {"Image": image, "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": name}}
        beside[name] = field.root("POST", "/containers/create", body).json["Id"]
        assert field.root("POST", f"/containers/{beside[name]}/start").status == 204
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as listening:
        listening.bind(("::", 0))
        listening.settimeout(1)
        assert heard(listening, field, victim, beside[roots_own]) == {"by IPv6", "from 203.0.113.9"}
        assert heard(listening, field, victim, beside["bridge"]) == set()
        assert heard(listening, field, victim, beside[network]) == set()
        assert heard(listening, field, victim, hers) == set()
    said = mallory.docker("exec", "-i", hers, "/raw", given="x")
    assert "Operation not permitted" in said.err
    assert mallory.create(HostConfig={"CapAdd": ["NET_RAW"]}).status == 403


@pytest.mark.gcc
def test_d13_ping_works_without_raw_packets(mallory: User, raw: str) -> None:
    pings(mallory, raw)


def pings(user: User, image: str) -> None:
    """As root of the image and as anybody in it."""
    network = user.call("GET", "/v1.41/networks/bridge").json["IPAM"]["Config"][0]
    address = network.get("Gateway") or str(IPv4Network(network["Subnet"])[1])
    for flags in ((), ("-u", "12345:54321")):
        done = user.docker("run", "--rm", *flags, image, "/ping", address)
        assert done.code == 0, done.err + done.out


def lasting(chain: str, own: str) -> list[str]:
    """The rules in their order, without those of other networks, which come and go, and the seal over all of them."""
    passing = [line for line in rules(chain).splitlines() if "--comment" not in line]
    of_one = re.compile(r" -s (\S+) -d \1 -j RETURN$| ! -s \S+ -i \S+ -j DROP$")
    return [line for line in passing if own in line or not of_one.search(line)]
