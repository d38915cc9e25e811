"""The oracle: whatever the engine makes of a body the policy let through, the policy saw it.

Bodies are drawn with keys in any case, folded letters, escapes, duplicates and fields in the wrong place. The policy
reads the bytes; what it does not refuse is given to the engine *as it was sent*; every field the engine stored must be
one the policy read, with the value it read. This finds the next way in which two readers differ by itself.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ds01.domain.dockerpolicy import shape
from ds01.domain.dockerpolicy.case import Asker
from ds01.domain.dockerpolicy.config import CONFIG
from ds01.domain.dockerpolicy.create import HOST, judge_create
from ds01.domain.dockerpolicy.strictjson import parse_object
from ds01.domain.dockerpolicy.verdict import RefusedError
from tests.effort import tries
from tests.engine.gateway.ground import Ground
from tests.unit.dockerpolicy.fields import DROPPED_HOST, KEPT_CONFIG, KEPT_HOST, REFUSED_HOST

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]

EXAMPLES = tries(250)
_SIMPLE = (str, int, bool, list, dict, type(None))
CONFIG_FIELDS = [(name, value) for name, value, _ in KEPT_CONFIG]
HOST_FIELDS = [
    *((name, value) for name, value, _ in KEPT_HOST if isinstance(value, _SIMPLE)),
    *DROPPED_HOST,
    *((name, value) for name, value, _ in REFUSED_HOST),
]
FOLDS = {"s": "\u017f", "k": "\u212a", "S": "\u017f", "K": "\u212a"}


@st.composite
def spelled(draw: st.DrawFn, name: str) -> str:
    """A key as somebody sly writes it, as JSON text."""
    how = draw(st.sampled_from(["plain", "plain", "lower", "upper", "swap", "fold", "escape", "space"]))
    if how == "fold":
        name = "".join(FOLDS.get(c, c) for c in name)
    elif how == "escape":
        at = draw(st.integers(0, len(name) - 1))
        return f'"{name[:at]}\\u{ord(name[at]):04x}{name[at + 1 :]}"'
    elif how == "space":
        name = draw(st.sampled_from([f" {name}", f"{name} ", f"{name}\u00a0"]))
    elif how != "plain":
        name = {"lower": name.lower(), "upper": name.upper(), "swap": name.swapcase()}[how]
    return json.dumps(name, ensure_ascii=draw(st.booleans()))


KEYS = st.sampled_from(["", "a", "Privileged"])
ODD: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([None, True, False, 0, 1, -1, 2**31, "", "0", "true", "host", "/:/h", [], {}]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)
"""Values of other types than a field has, nested where it is flat."""


@st.composite
def values(draw: st.DrawFn, value: Any) -> Any:
    """A field's value, now and then one of another type, or with one inside it."""
    how = draw(st.sampled_from(["as it is", "as it is", "as it is", "odd", "within", "without"]))
    if how == "odd":
        return draw(ODD)
    if how == "within":
        return [value] if draw(st.booleans()) else {draw(st.sampled_from(["a", "Value", ""])): value}
    if how == "without" and isinstance(value, list) and value:
        return value[0]
    return value


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """A value as JSON text: keys inside it, too, in spellings of their own, now and then twice."""
    if isinstance(value, list):
        return "[" + ",".join(draw(written(item)) for item in value) + "]"
    if not isinstance(value, dict) or not draw(st.booleans()):
        return json.dumps(value)
    pairs = [f"{draw(spelled(key)) if key else json.dumps(key)}:{draw(written(item))}" for key, item in value.items()]
    if pairs and draw(st.integers(0, 3)) == 0:
        key, item = draw(st.sampled_from(sorted(value.items(), key=lambda pair: pair[0])))
        other = draw(st.sampled_from([item, None, 0, "", [], {}, "other"]))
        pairs.insert(
            draw(st.integers(0, len(pairs))), f"{draw(spelled(key)) if key else json.dumps(key)}:{json.dumps(other)}"
        )
    return "{" + ",".join(pairs) + "}"


@st.composite
def members(draw: st.DrawFn, fields: list[tuple[str, Any]], most: int) -> list[str]:
    chosen = draw(st.lists(st.sampled_from(fields), max_size=most))
    return [f"{draw(spelled(name))}:{draw(written(draw(values(value))))}" for name, value in chosen]


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A create body, as bytes."""
    host = "{" + ",".join(draw(members(HOST_FIELDS, 3))) + "}"
    top = [f'{draw(spelled("Image"))}:"ds01/tiny"', *draw(members(CONFIG_FIELDS, 2))]
    times = draw(st.sampled_from([0, 1, 1, 1, 2]))
    top += [f"{draw(spelled('HostConfig'))}:{draw(st.sampled_from([host, host, '{}', 'null']))}" for _ in range(times)]
    top += draw(st.sampled_from([[], [], draw(members(HOST_FIELDS, 1))]))
    text = "{" + ",".join(draw(st.permutations(top))) + "}"
    return (text + draw(st.sampled_from(["", "", "", " ", "x", "{}"]))).encode("utf-8", "replace")


WORDS = ("Cmd", "Entrypoint", "Shell")
"""Of these the engine takes a text for a list of one."""


def read_by_policy(body: dict[str, Any]) -> dict[str, Any]:
    """Every field the policy read, under its canonical name."""
    config = [field.name for field in CONFIG] + ["HostConfig", "NetworkingConfig"]
    top = shape.struct("", body, shape.names(*config)).values
    host = shape.struct("HostConfig", top.get("HostConfig"), shape.names(*(field.name for field in HOST))).values
    lists = {name: [words] for name in WORDS if isinstance(words := top.get(name), str) and words}
    return {**top, **lists, **{f"HostConfig.{name}": value for name, value in host.items()}}


def stored_by_engine(field: Ground, found: dict[str, Any]) -> dict[str, Any]:
    """Every field that is not as in a container made of nothing but its image, with and without a HostConfig."""
    bare = [make(field, b'{"Image":"ds01/tiny"}'), make(field, b'{"Image":"ds01/tiny","HostConfig":{}}')]
    stored: dict[str, Any] = {}
    for part, prefix in (("Config", ""), ("HostConfig", "HostConfig.")):
        usual = [each[part] for each in bare if each is not None]
        stored |= {f"{prefix}{n}": v for n, v in found[part].items() if v not in [each.get(n) for each in usual]}
    if found["Config"]["Hostname"] == found["Id"][:12]:
        del stored["Hostname"]
    return stored


def same(stored: Any, read: Any) -> bool:
    """Whether the engine has what the policy read. Go folds the case of keys, and null, nothing, zero and empty are one
    to it.
    """
    if not stored or not read:
        return not stored and not read
    if isinstance(stored, dict) and isinstance(read, dict):
        others = {str(key).casefold(): value for key, value in read.items()}
        return all(same(value, others.get(str(key).casefold())) for key, value in stored.items())
    if isinstance(stored, list) and isinstance(read, list):
        return len(stored) == len(read) and all(same(*pair) for pair in zip(stored, read, strict=True))
    return type(stored) is type(read) and stored == read


def make(field: Ground, body: bytes) -> dict[str, Any] | None:
    """What the engine makes of these very bytes; None when it refuses."""
    made = field.root("POST", "/v1.41/containers/create", body)
    if made.status != 201:
        return None
    container = made.json["Id"]
    try:
        return field.seen(container)
    finally:
        field.root("DELETE", f"/containers/{container}?force=1&v=1")


DERIVED = {
    "HostConfig.MemorySwap": "HostConfig.Memory", "HostConfig.OomKillDisable": "HostConfig.Memory",
    "HostConfig.MemorySwappiness": "HostConfig.Memory", "ExposedPorts": "HostConfig.PortBindings",
    "Cmd": "Entrypoint",
}  # fmt: skip
"""Fields the engine fills in by itself from another one."""


def test_c1_to_c24_what_the_engine_stores_the_policy_saw(field: Ground) -> None:
    counts = {"refused": 0, "stored": 0}

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bodies())
    def judged(body: bytes) -> None:
        try:
            value = parse_object(body)
            judge_create(value, "x", Asker(uid=1002, gid=1002))
        except RefusedError:
            counts["refused"] += 1
            return
        found = make(field, body)
        if found is None:
            return
        counts["stored"] += 1
        seen = read_by_policy(value)
        for name, stored in stored_by_engine(field, found).items():
            source = name if name in seen else DERIVED.get(name, name)
            assert source in seen, f"the engine stored {name}={stored!r}, which the policy did not read in {body!r}"
            if source == name:
                assert same(stored, seen[name]), f"the engine stored {name}={stored!r}, the policy read {seen[name]!r}"

    judged()
    assert min(counts["refused"], counts["stored"]) > EXAMPLES // 12


@pytest.mark.parametrize(
    "body",
    [
        b'{"Image":"ds01/tiny","hostconfig":{"PRIVILEGED":true}}',
        '{"Image":"ds01/tiny","Ho\u017ftConfig":{"Privileged":true}}'.encode(),
        b'{"Image":"ds01/tiny","HostConfig":{"Privileged":true},"HostConfig":{}}',
        b'{"Image":"ds01/tiny","Privileged":true}',
    ],
)
def test_the_oracle_sees_what_it_should(field: Ground, body: bytes) -> None:
    """The engine does honour these: an oracle that saw nothing in them would prove nothing."""
    found = make(field, body)
    assert found is not None
    assert stored_by_engine(field, found)["HostConfig.Privileged"] is True


def test_the_oracle_takes_a_text_for_one_word_as_the_engine_does(field: Ground) -> None:
    body = b'{"Image":"ds01/tiny","Cmd":["sh"],"Entrypoint":"x"}'
    found = make(field, body)
    assert found is not None
    assert stored_by_engine(field, found)["Entrypoint"] == read_by_policy(parse_object(body))["Entrypoint"] == ["x"]


def test_the_oracle_sees_another_value(field: Ground) -> None:
    """Two keys that are one to the engine: whoever reads them apart believes the first."""
    found = make(field, b'{"Image":"ds01/tiny","HostConfig":{"RestartPolicy":{"Name":"no","name":"always"}}}')
    assert found is not None
    stored = stored_by_engine(field, found)["HostConfig.RestartPolicy"]
    assert same(stored, {"NAME": "always"})
    assert not same(stored, {"Name": "no"})
