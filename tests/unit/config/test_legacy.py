"""Older limits files: every key is mapped, dropped with a reason, or told to be unreadable; the result loads."""

from __future__ import annotations

import json
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ds01.config.former import AGGREGATE, LIMITS, POLICY
from ds01.config.import_file import import_file
from ds01.config.legacy import Account, Conversion, Outcome, convert
from ds01.config.limits import read
from ds01.domain.container import Door
from ds01.domain.errors import BAD_LIMITS_FILE, NAME_TAKEN, Ds01Error
from ds01.domain.settings import Settings

GIB = 1024**3

OLD = """\
defaults:
  max_gpu_equivalents: 1.0
  max_gpu_slots_per_container: 1
  max_cpus: 32
  memory: 32g
  memory_swap: 32g
  shm_size: 16g
  pids_limit: 4096
  max_containers_per_user: 3
  max_runtime_h: 24
  idle_timeout_h: 0.5
  gpu_hold_after_stop_h: 0.25
  container_hold_after_stop_h: null
  max_tasks: 32768
default_group: student
groups:
  student:
    max_gpu_equivalents: 2
    aggregate: {cpu_quota: "9600%", memory_max: 96G, memory_high: 86G, tasks_max: 12288, gpu_limit: 3}
  researcher:
    members: [carol]
    memory: 64g
    idle_timeout_h: soon
  admin:
    max_gpu_equivalents: unlimited
    pids_limit: null
user_overrides:
  204214@lab.lan: {idle_timeout_h: null, max_runtime_h: 168, reason: "thesis work"}
container_types:
  devcontainer: {idle_timeout: 30m, max_runtime: 168h, default_mig_count: {student: 1}}
  unknown: {idle_timeout: 15m}
policies: {high_demand_threshold: 0.8, high_demand_idle_reduction: 0.5, auto_stop_idle: true}
bare_metal_access: {admin_group: ds01-admin}
"""


def settings_of(found: Conversion) -> Settings:
    return read(found.text, "limits.yaml")


def account(found: Conversion, key: str) -> Account:
    return next(one for one in found.accounts if one.key == key)


def test_the_keys_of_an_older_file_are_mapped_with_their_units() -> None:
    found = convert(OLD, "resource-limits.yaml", members={"student": ("alice", "bob")})
    policy = settings_of(found).policy
    values = {key: item.value for key, item in policy.defaults.items()}
    assert values == {
        "gpus.max": Fraction(1), "gpus.per_container": 1, "cpus": 32.0, "memory": 32 * GIB, "swap": 0,
        "shm": 16 * GIB, "pids": 4096, "containers": 3, "runtime": timedelta(days=1), "idle": timedelta(minutes=30),
        "gpu_hold": timedelta(minutes=15), "container_hold": None,
    }  # fmt: skip
    groups = {group.name: group for group in policy.groups}
    assert groups["student"].members == {"alice", "bob", "*"}
    assert {key: item.value for key, item in groups["student"].aggregate.items()} == {
        "cpus": 96.0, "memory": 96 * GIB, "pids": 12288,
    }  # fmt: skip
    assert groups["researcher"].members == {"carol"}
    assert groups["admin"].layer["gpus.max"].value is None
    assert groups["admin"].layer["admin"].value is True
    assert policy.users["204214@lab.lan"]["runtime"].value == timedelta(days=7)
    assert policy.users["204214@lab.lan"]["idle"].value is None
    assert policy.doors[Door.DEVCONTAINER]["runtime"].value == timedelta(days=7)
    assert settings_of(found).lifecycle.busy.above == 0.8


def test_every_key_is_accounted_for_with_its_line() -> None:
    found = convert(OLD, "resource-limits.yaml", members={"student": ("alice",), "archived": ("dave",)})
    told = {(one.key or one.file): (one.line, one.outcome, one.text) for one in found.accounts}
    assert told["defaults.max_cpus"] == (4, Outcome.MAPPED, "defaults.cpus: 32")
    assert told["defaults.idle_timeout_h"] == (11, Outcome.MAPPED, "defaults.idle: 30m")
    assert told["defaults.max_tasks"][1] == Outcome.DROPPED
    assert "aggregate" in told["defaults.max_tasks"][2]
    assert told["default_group"] == (15, Outcome.MAPPED, 'groups.student.members: ["*"]')
    assert told["groups.student.aggregate.gpu_limit"][1] == Outcome.DROPPED
    assert told["groups.researcher.idle_timeout_h"][1] == Outcome.UNREADABLE
    assert "'soonh' is no duration" in told["groups.researcher.idle_timeout_h"][2]
    assert told["groups.admin.pids_limit"][1] == Outcome.UNREADABLE
    assert "cannot be without a limit" in told["groups.admin.pids_limit"][2]
    assert told["user_overrides.204214@lab.lan.reason"][2] == "kept as a comment"
    assert told["container_types.unknown.idle_timeout"][1] == Outcome.DROPPED
    assert told["policies.auto_stop_idle"][1] == Outcome.DROPPED
    assert told["bare_metal_access.admin_group"][1] == Outcome.DROPPED
    assert told["student.members"] == (0, Outcome.MAPPED, "groups.student.members, 1 login")
    assert told["archived.members"][1] == Outcome.DROPPED
    assert "  # thesis work\n" in found.text
    assert "cpus: 32  # max_cpus, resource-limits.yaml:4\n" in found.text


def test_of_two_old_names_of_one_limit_the_newer_counts() -> None:
    found = convert("defaults: {max_mig_instances: 3, max_gpu_equivalents: 2}")
    assert settings_of(found).policy.defaults["gpus.max"].value == 2
    assert account(found, "defaults.max_mig_instances").text == "max_gpu_equivalents says it"


def test_instances_become_equivalents_when_the_file_says_how_many_make_a_gpu() -> None:
    text = "defaults: {max_mig_instances: 3, allow_full_gpu: false}\n"
    counted = settings_of(convert(text + "gpu_allocation: {mig_instances_per_gpu: 4}\n")).policy.defaults
    assert (counted["gpus.max"].value, counted["gpus.mig"].value) == (Fraction(3, 4), "only")
    assert settings_of(convert(text)).policy.defaults["gpus.max"].value == 3


def test_swap_counted_the_memory_in() -> None:
    found = convert("defaults: {memory: 32g, memory_swap: 40g}\ngroups: {a: {memory_swap: 32g}}")
    policy = settings_of(found).policy
    assert policy.defaults["swap"].value == 8 * GIB
    assert policy.groups[0].layer["swap"].value == 0
    alone = convert("defaults: {memory_swap: 40g}")
    assert account(alone, "defaults.memory_swap").outcome is Outcome.DROPPED


def test_exceptions_in_a_file_of_their_own() -> None:
    for text in ("bob: {max_runtime: null}\n", "user_overrides:\n  bob: {max_runtime: null}\n"):
        found = convert("defaults: {}", overrides=text)
        assert settings_of(found).policy.users["bob"]["runtime"].value is None
        assert found.accounts[-1].file == "user-overrides.yaml"


@pytest.mark.parametrize("text", ["defaults: [", "- 1", "words", "a: *b"])
def test_what_is_no_yaml_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(Ds01Error) as caught:
        convert(text)
    assert caught.value.kind is BAD_LIMITS_FILE
    assert "old.yaml:1:" in caught.value.problem.reason


def test_a_file_is_imported_with_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups" / "student.members").write_text("# year 1\nalice@lab.lan  # Alice\n\nbob\n")
    (tmp_path / "researcher.members").write_text("carol\n")
    (tmp_path / "user-overrides.yaml").write_text("bob: {idle_timeout: 4h}\n")
    (tmp_path / "old.yaml").write_text("groups: {student: {}, researcher: {max_cpus: 4}}\n")
    import_file(tmp_path / "old.yaml", tmp_path / "limits.yaml")
    policy = read((tmp_path / "limits.yaml").read_text()).policy
    assert policy.groups[0].members == {"alice@lab.lan", "bob"}
    assert policy.groups[1].members == {"carol"}
    assert policy.users["bob"]["idle"].value == timedelta(hours=4)
    with pytest.raises(Ds01Error) as caught:
        import_file(tmp_path / "old.yaml", tmp_path / "limits.yaml")
    assert caught.value.kind is NAME_TAKEN
    with pytest.raises(Ds01Error, match="could not be imported"):
        import_file(tmp_path / "nothing.yaml", tmp_path / "other.yaml")


KEYS = st.sampled_from([*LIMITS, *AGGREGATE, *POLICY, "members", "reason", "gpu_memory", "null", "a b", "#"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 10**12), st.floats(allow_nan=False), st.text(max_size=5),
    st.sampled_from(["32g", "0.5", "9600%", "24h", "30m", "unlimited", "0", "1e3", "[", "a: b", "é"]),
)  # fmt: skip
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(KEYS, SCALARS, max_size=3))
LAYERS = st.dictionaries(KEYS, VALUES, max_size=4) | SCALARS
NAMES = st.sampled_from(["student", "admin", "docker", "204214@lab.lan", "x: y", "null", "yes", "-1", "ü"])
FILES = st.fixed_dictionaries(
    {},
    optional={
        "defaults": LAYERS,
        "groups": st.dictionaries(NAMES, st.dictionaries(KEYS | st.just("aggregate"), VALUES, max_size=4), max_size=3),
        "default_group": NAMES,
        "user_overrides": st.dictionaries(NAMES, LAYERS, max_size=3),
        "container_types": st.dictionaries(NAMES, LAYERS, max_size=3),
        "policies": LAYERS,
        "gpu_allocation": st.fixed_dictionaries({}, optional={"mig_instances_per_gpu": SCALARS}),
        "other": VALUES,
    },
)


@example({"groups": {"student": {}}}, {"student": ["\x7f", "\x80\U000e0001"]})
@given(FILES, st.dictionaries(NAMES, st.lists(st.text(max_size=4), max_size=2), max_size=2))
def test_whatever_stands_in_it_the_result_loads(tree: dict[str, object], members: dict[str, list[str]]) -> None:
    found = convert(json.dumps(tree), members=members)
    read(found.text)
    assert all(one.text for one in found.accounts)
