"""The rules of the fence, in their order: a packet is judged by its bridge before anything its sender wrote."""

from __future__ import annotations

from ipaddress import IPv4Network

from ds01.domain.fence import Bridge, FencePlan, interface

POOL = "198.18.0.0/16"
HERS = Bridge(range=IPv4Network("198.18.0.0/26"), interface=interface("aaaaaaaaaaaabbbb"))
HIS = Bridge(range=IPv4Network("198.18.0.64/26"), interface=interface("ccccccccccccdddd"))
PLAN = FencePlan(name="DS01", pool=IPv4Network(POOL), networks=(HIS, HERS), ports=(53,))


def test_d13_a_forged_sender_is_dropped_before_anything_else_is_asked() -> None:
    for chain in (PLAN.forward, PLAN.input):
        rules = PLAN.rules[chain]
        assert rules[1] == f"! -s {POOL} ! -i br-+ -j RETURN"
        assert rules[2:4] == (
            "! -s 198.18.0.0/26 -i br-aaaaaaaaaaaa -j DROP", "! -s 198.18.0.64/26 -i br-cccccccccccc -j DROP",
        )  # fmt: skip
        assert rules[4] == f"! -s {POOL} -j RETURN"
        assert rules[5].endswith("RELATED,ESTABLISHED -j RETURN")


def test_what_is_left_of_a_chain_stops_nobody_but_users() -> None:
    """Somebody takes a part of the rules away, by an address say: the host is reached all the same."""
    for rules in (*PLAN.rules.values(), *PLAN.rules_6.values()):
        for rule in rules:
            if "-j DROP" in rule or "-j REJECT" in rule:
                assert rule.startswith(f"-s {POOL} ") or " -i br-" in f" {rule}", rule


def test_d14_nothing_of_ipv6_leaves_a_users_bridge() -> None:
    assert PLAN.rules_6[PLAN.input][1:] == ("-i br-aaaaaaaaaaaa -j DROP", "-i br-cccccccccccc -j DROP")
    assert PLAN.rules_6[PLAN.forward][1:3] == (
        "-i br-aaaaaaaaaaaa -o br-aaaaaaaaaaaa -j RETURN", "-i br-aaaaaaaaaaaa -j DROP",
    )  # fmt: skip


def test_names_of_interfaces_are_no_longer_than_the_kernel_takes() -> None:
    assert len(interface("f" * 64)) == 15
