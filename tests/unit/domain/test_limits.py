"""Who may have what: layers, groups, doors, exemptions, and the line every value comes from."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ds01.domain.container import Door
from ds01.domain.limit_keys import KEYS, Key, Kind, Value
from ds01.domain.limits import (
    BUILT_IN,
    LIFECYCLE_KEYS,
    LIFTABLE_KEYS,
    Exemption,
    Group,
    Layer,
    Limits,
    Policy,
    Sourced,
    effective,
    group_of,
    trace,
)  # fmt: skip
from ds01.domain.people import Uid, User
from tests.effort import tries

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ALICE = User(uid=Uid(1001), gid=1001, login="alice@lab.lan", home="/home/alice", groups=frozenset({"phd"}))

FIELDS = {
    "gpus.max": "gpus_max", "gpus.per_container": "gpus_per_container", "gpus.mig": "mig", "memory": "memory_bytes",
    "swap": "swap_bytes", "shm": "shm_bytes", "disk.workspace": "disk_workspace_bytes",
    "disk.images": "disk_images_bytes", "bookings.who": "bookings_who", "bookings.per_week": "bookings_per_week",
    "bookings.ahead": "bookings_ahead", "bookings.notice": "bookings_notice",
}  # fmt: skip
"""Keys whose field has another name."""


def layer(source: str, **values: Value) -> Layer:
    return {key.replace("__", "."): Sourced(value=value, source=source) for key, value in values.items()}


def in_force(policy: Policy, key: str, door: Door = Door.DS01, now: datetime = NOW) -> Sourced:
    return effective(policy, ALICE, door, now).sources[key]


def test_without_a_file_everything_is_built_in() -> None:
    found = effective(Policy(), ALICE, Door.DS01, NOW)
    assert set(found.sources) == set(KEYS)
    assert {item.source for item in found.sources.values()} == {"built-in"}
    assert (found.group, found.admin, found.gpus_max) == ("default", False, Fraction(1))


def test_each_layer_overrules_the_one_before_key_by_key() -> None:
    hours = [timedelta(hours=n) for n in range(1, 5)]
    policy = Policy(
        defaults=layer("l:1", idle=hours[0], cpus=2.0, memory=7),
        groups=(Group(name="g", members=frozenset({"*"}), layer=layer("l:2", idle=hours[1], cpus=3.0)),),
        users={ALICE.login: layer("l:3", idle=hours[2])},
        doors={Door.DOCKER: layer("l:4", idle=hours[3])},
    )
    assert in_force(policy, "memory").source == "l:1"
    assert in_force(policy, "cpus").source == "l:2"
    assert in_force(policy, "idle").source == "l:3"
    assert in_force(policy, "idle", Door.DOCKER).source == "l:4"
    steps = trace(policy, ALICE, Door.DOCKER, NOW, "idle")
    assert [step.source for step in steps] == ["built-in", "l:1", "l:2", "l:3", "l:4"]


def test_a_door_changes_lifecycle_limits_only() -> None:
    policy = Policy(doors={Door.DOCKER: layer("l:1", runtime=None, cpus=64.0, admin=True)})
    found = effective(policy, ALICE, Door.DOCKER, NOW)
    assert found.runtime is None
    assert (found.cpus, found.admin) == (8.0, False)


def exempt(*keys: str, login: str = ALICE.login, hours: int = 1) -> Policy:
    exemption = Exemption(
        login=login, keys=frozenset(keys), until=NOW + timedelta(hours=hours), reason="thesis", source="l:9"
    )
    return Policy(exemptions=(exemption,), doors={Door.DOCKER: layer("l:4", idle=timedelta(hours=1))})


def test_an_exemption_lifts_a_limit_over_every_layer_until_its_time() -> None:
    policy = exempt("idle")
    assert in_force(policy, "idle", Door.DOCKER) == Sourced(value=None, source="l:9")
    end = NOW + timedelta(hours=1)
    assert in_force(policy, "idle", Door.DOCKER, end - timedelta(seconds=1)).value is None
    assert in_force(policy, "idle", Door.DOCKER, end).source == "l:4"


def test_an_exemption_is_for_one_user_and_for_what_can_be_lifted() -> None:
    assert in_force(exempt("idle", login="bob"), "idle").source == "built-in"
    assert in_force(exempt("memory", "admin", "gpu_hold"), "memory").source == "built-in"
    assert effective(exempt("gpu_hold"), ALICE, Door.DS01, NOW).gpu_hold == timedelta(minutes=15)


GROUPS = (
    Group(name="everybody", members=frozenset({"*"})),
    Group(name="staff", unix_groups=frozenset({"staff", "phd"})),
    Group(name="also", unix_groups=frozenset({"phd"})),
    Group(name="named", members=frozenset({"alice@lab.lan"})),
)


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (GROUPS, "named"),
        (GROUPS[:3], "staff"),
        (GROUPS[:1], "everybody"),
        ((GROUPS[2], GROUPS[1]), "also"),
        ((), "default"),
    ],
)
def test_a_group_is_found_by_login_then_unix_group_then_for_everybody(groups: tuple[Group, ...], found: str) -> None:
    group = group_of(Policy(groups=groups), ALICE)
    assert (group.name if group else "default") == found


def test_s9_a_similar_group_name_is_not_the_group() -> None:
    admins = Group(name="admin", unix_groups=frozenset({"ds01-admin"}), layer=layer("l:1", admin=True))
    mallory = replace(ALICE, groups=frozenset({"ds01-admin-x", "x-ds01-admin", "DS01-ADMIN"}))
    assert not effective(Policy(groups=(admins,)), mallory, Door.DS01, NOW).admin


def test_two_domains_with_one_local_part_are_two_users() -> None:
    policy = Policy(users={"alice@lab.lan": layer("l:1", containers=9)})
    assert effective(policy, replace(ALICE, login="alice@other.lan"), Door.DS01, NOW).containers == 3
    assert effective(policy, ALICE, Door.DS01, NOW).containers == 9


def values(key: Key) -> st.SearchStrategy[Value]:
    some: dict[Kind, st.SearchStrategy[Value]] = {
        Kind.GPUEQ: st.fractions(min_value=0, max_value=64),
        Kind.COUNT: st.integers(0, 99),
        Kind.NUMBER: st.floats(0.5, 64),
        Kind.INTEGER: st.integers(-9, 9),
        Kind.SIZE: st.integers(0, 2**40),
        Kind.DURATION: st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=99)),
        Kind.GPU_TIME: st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=99)),
        Kind.CHOICE: st.sampled_from(key.choices or ("x",)),
        Kind.SWITCH: st.booleans(),
        Kind.DEVICES: st.sampled_from([(), ("/dev/kvm",), ("/dev/infiniband/*", "/dev/fuse")]),
        Kind.ADDRESSES: st.sampled_from([(), ("any",), ("10.20.0.5", "10.20.1.5")]),
    }
    return st.none() | some[key.kind] if key.nullable else some[key.kind]


def layers(keys: frozenset[str], name: str) -> st.SearchStrategy[Layer]:
    each = {key: st.builds(Sourced, value=values(KEYS[key]), source=st.just(f"{name}:{key}")) for key in keys}
    return st.fixed_dictionaries({}, optional=each)


ALL = frozenset(KEYS)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    group = Group(name="g", members=frozenset({draw(st.sampled_from(["*", "bob"]))}), layer=draw(layers(ALL, "group")))
    lifted = draw(st.frozensets(st.sampled_from(sorted(LIFTABLE_KEYS))))
    until = NOW + timedelta(hours=draw(st.sampled_from([-1, 1])))
    return Policy(
        defaults=draw(layers(ALL, "defaults")),
        groups=(group,),
        users=draw(st.dictionaries(st.sampled_from([ALICE.login, "bob"]), layers(ALL, "user"))),
        doors=draw(st.dictionaries(st.sampled_from(list(Door)), layers(LIFECYCLE_KEYS, "door"))),
        exemptions=(Exemption(login=ALICE.login, keys=lifted, until=until, reason="r", source="exemption:x"),),
    )


@settings(deadline=None, max_examples=tries(60), suppress_health_check=[HealthCheck.too_slow])
@given(policies(), st.sampled_from(list(Door)))
def test_every_value_in_sources_equals_its_field_and_every_field_has_a_source(policy: Policy, door: Door) -> None:
    found = effective(policy, ALICE, door, NOW)
    assert set(found.sources) == set(KEYS) == set(BUILT_IN)
    for key, item in found.sources.items():
        assert getattr(found, FIELDS.get(key, key)) == item.value, key
        assert trace(policy, ALICE, door, NOW, key)[-1] == item
    named = {FIELDS.get(key, key) for key in KEYS} | {"group", "aggregate", "sources"}
    assert {field.name for field in fields(Limits)} == named
