"""``daemon.json``: the admin's keys stay, DS01's come and go."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.errors import Ds01Error
from ds01.install.engine_file import merged, taken_out

GUARD = "/var/lib/ds01/guard"
ENGINE, NEWER = "20.10.24+dfsg1", "29.0.1"
OURS = {
    "default-runtime": "ds01",
    "runtimes": {"ds01": {"path": f"{GUARD}/runc"}},
    "builder": {"Entitlements": {"network-host": False, "security-insecure": False}, "GC": {"Enabled": True}},
}
NVIDIA = {
    "data-root": "/srv/docker",
    "runtimes": {"nvidia": {"path": "nvidia-container-runtime", "args": []}},
    "builder": {"GC": {"enabled": True}},
    "log-opts": {"max-size": "10m"},
}


def test_no_file_becomes_one() -> None:
    assert json.loads(merged(None, GUARD, ENGINE)) == OURS
    assert json.loads(merged("", GUARD, ENGINE)) == OURS


@pytest.mark.parametrize(("version", "said"), [("28.5.2", False), (NEWER, True), ("", False)])
def test_g11_an_engine_that_gives_builds_devices_is_told_not_to(version: str, said: bool) -> None:
    """An engine does not start with a key that it does not know."""
    given = json.loads(merged(None, GUARD, version))["builder"]["Entitlements"]
    assert given.get("device", "unsaid") == (False if said else "unsaid")


def test_what_a_newer_engine_was_told_goes_with_the_rest() -> None:
    assert taken_out(merged(None, GUARD, NEWER), None, GUARD) is None
    theirs = json.dumps({"builder": {"Entitlements": {"device": True}}})
    assert json.loads(taken_out(merged(theirs, GUARD, NEWER), theirs, GUARD) or "") == json.loads(theirs)


def test_the_admins_keys_stay_in_their_order_and_indentation() -> None:
    text = merged(json.dumps(NVIDIA, indent=8), GUARD, ENGINE)
    found = json.loads(text)
    assert list(found)[:4] == list(NVIDIA)
    assert found["runtimes"] == {**NVIDIA["runtimes"], **OURS["runtimes"]}  # type: ignore[dict-item]
    assert found["builder"] == OURS["builder"] | {"GC": {"enabled": True}}  # type: ignore[operator]
    assert text.splitlines()[1].startswith(8 * " " + '"')


def test_keys_are_found_in_any_case() -> None:
    found = json.loads(merged('{"Builder": {"entitlements": {"network-host": true}}}', GUARD, ENGINE))
    entitlements = {"network-host": False, "security-insecure": False}
    assert found["Builder"] == {"entitlements": entitlements, "GC": {"Enabled": True}}
    assert "builder" not in found


@pytest.mark.parametrize("text", [
    '{"hosts": ["fd://"]}', '{"cgroup-parent": "lab.slice"}', '{"userns-remap": "default"}',
    '{"default-runtime": "nvidia"}', "{", "[]", '{"debug": true, "Debug": false}',
])  # fmt: skip
def test_what_cannot_go_together_is_refused(text: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        merged(text, GUARD, ENGINE)
    assert refused.value.problem.hint.endswith("ds01 install")


@pytest.mark.parametrize("said", [{"enabled": False}, {"enabled": True}, {"enabled": False, "policy": []}])
def test_what_the_admin_says_of_cleaning_the_build_cache_stays(said: dict[str, Any]) -> None:
    before = json.dumps({"builder": {"gc": said}})
    text = merged(before, GUARD, ENGINE)
    assert json.loads(text)["builder"]["gc"] == said
    assert json.loads(taken_out(text, before, GUARD) or "") == json.loads(before)


def test_twice_is_once() -> None:
    once = merged(json.dumps(NVIDIA, indent=4), GUARD, ENGINE)
    assert merged(once, GUARD, ENGINE) == once


def test_what_the_admin_added_since_stays_when_ds01_goes() -> None:
    before = json.dumps(NVIDIA)
    since = json.loads(merged(before, GUARD, ENGINE)) | {"debug": True}
    left = taken_out(json.dumps(since), before, GUARD)
    assert left is not None
    assert json.loads(left) == NVIDIA | {"debug": True}


def test_what_the_admin_changed_of_ds01s_stays() -> None:
    since = json.loads(merged(None, GUARD, ENGINE)) | {"default-runtime": "nvidia"}
    left = taken_out(json.dumps(since), None, GUARD)
    assert left is not None
    assert json.loads(left) == {"default-runtime": "nvidia"}


def test_nothing_is_left_of_a_file_that_was_not_there() -> None:
    assert taken_out(merged(None, GUARD, ENGINE), None, GUARD) is None


values = st.one_of(st.booleans(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2))
keys = st.sampled_from(["debug", "data-root", "log-opts", "labels"])
files = st.fixed_dictionaries(
    {},
    optional={
        "runtimes": st.dictionaries(st.sampled_from(["nvidia", "kata"]), st.just({"path": "/usr/bin/x"})),
        "default-runtime": st.just("runc"),
        "builder": st.fixed_dictionaries(
            {},
            optional={
                "GC": st.sampled_from([{"enabled": True}, {"enabled": False}, {"defaultKeepStorage": "20GB"}, {}]),
                "Entitlements": st.fixed_dictionaries({}, optional={"network-host": st.booleans()}),
            },
        ),
    },
).flatmap(lambda fixed: st.dictionaries(keys, values).map(lambda more: {**more, **fixed}))


@given(files, st.booleans())
def test_there_and_back_is_what_it_was(before: dict[str, Any], touched: bool) -> None:
    text = json.dumps(before)
    since = json.loads(merged(text, GUARD, ENGINE)) | ({"live-restore": True} if touched else {})
    left = taken_out(json.dumps(since), text, GUARD)
    assert left is not None
    assert json.loads(left) == before | ({"live-restore": True} if touched else {})
