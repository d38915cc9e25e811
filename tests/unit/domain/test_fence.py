"""The rules of the fence, in their order: a packet is judged by its bridge before anything its sender wrote."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

from ds01.domain.fence import Bridge, FencePlan, interface

POOL = "198.18.0.0/16"
HERS = Bridge(range=IPv4Network("198.18.0.0/26"), interface=interface("aaaaaaaaaaaabbbb"))
HIS = Bridge(range=IPv4Network("198.18.0.64/26"), interface=interface("ccccccccccccdddd"))
PLAN = FencePlan(name="DS01", pool=IPv4Network(POOL), networks=(HIS, HERS), ports=(53,))
OUTSIDE = f"-d {POOL} ! -i br-+ -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"
"""What comes from elsewhere and by no published port."""
DEFAULT = replace(PLAN, default=Bridge(range=IPv4Network("172.17.0.0/16"), interface="docker0"))


def test_d13_a_forged_sender_is_dropped_before_anything_else_is_asked() -> None:
    for chain, outside in ((PLAN.forward, (OUTSIDE,)), (PLAN.input, ())):
        assert PLAN.rules[chain][1 : 1 + len(outside)] == outside
        rules = (PLAN.rules[chain][0], *PLAN.rules[chain][1 + len(outside) :])
        assert rules[1] == f"! -s {POOL} ! -i br-+ -j RETURN"
        assert rules[2:4] == (
            "! -s 198.18.0.0/26 -i br-aaaaaaaaaaaa -j DROP", "! -s 198.18.0.64/26 -i br-cccccccccccc -j DROP",
        )  # fmt: skip
        assert rules[4] == f"! -s {POOL} -j RETURN"
        assert rules[5].endswith("RELATED,ESTABLISHED -j RETURN")


def test_what_is_left_of_a_chain_stops_nobody_but_users() -> None:
    """Somebody takes a part of the rules away, by an address say: the host is reached all the same."""
    for rules in (*DEFAULT.rules.values(), *DEFAULT.rules_6.values()):
        for rule in rules:
            if "-j DROP" in rule or "-j REJECT" in rule:
                of_default = " -i docker0 " in f" {rule} "
                assert rule.startswith(f"-s {POOL} ") or " -i br-" in f" {rule}" or of_default, rule


def test_d14_nothing_of_ipv6_leaves_a_users_bridge() -> None:
    assert PLAN.rules_6[PLAN.input][1:] == ("-i br-aaaaaaaaaaaa -j DROP", "-i br-cccccccccccc -j DROP")
    assert PLAN.rules_6[PLAN.forward][1:3] == (
        "-i br-aaaaaaaaaaaa -o br-aaaaaaaaaaaa -j RETURN", "-i br-aaaaaaaaaaaa -j DROP",
    )  # fmt: skip


def test_names_of_interfaces_are_no_longer_than_the_kernel_takes() -> None:
    assert len(interface("f" * 64)) == 15


def test_d13_what_is_on_the_default_bridge_has_the_way_out_and_nothing_else() -> None:
    """Before what lets everything pass that is not users'."""
    assert DEFAULT.rules[DEFAULT.forward][1:9] == (
        "! -s 172.17.0.0/16 -i docker0 -j DROP", "-i docker0 -o docker0 -j DROP",
        "-i docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN", f"-i docker0 -d {POOL} -j DROP",
        "-i docker0 -d 169.254.0.0/16 -j DROP", "-i docker0 -j RETURN", OUTSIDE, f"! -s {POOL} ! -i br-+ -j RETURN",
    )  # fmt: skip
    assert DEFAULT.rules[DEFAULT.forward][-1] == f"-s {POOL} -o docker0 -j DROP"
    assert DEFAULT.rules_6[DEFAULT.forward][1] == "-i docker0 -o docker0 -j DROP"


def test_d14_from_the_default_bridge_only_open_ports_of_the_host_are_reached() -> None:
    before = DEFAULT.rules[DEFAULT.input].index(f"! -s {POOL} ! -i br-+ -j RETURN")
    of_default = DEFAULT.rules[DEFAULT.input][1:before]
    assert of_default[-1] == "-i docker0 -j REJECT --reject-with icmp-port-unreachable"
    assert [rule for rule in of_default if "--dport" in rule] == [
        f"-i docker0 -p {kind} -m {kind} --dport 53 -j RETURN" for kind in ("udp", "tcp")
    ]
    of_default_6 = [rule for rule in DEFAULT.rules_6[DEFAULT.input] if "docker0" in rule]
    assert of_default_6[-1] == "-i docker0 -j DROP"
    assert len(of_default_6) == 7
