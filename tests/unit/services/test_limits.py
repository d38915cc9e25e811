"""What ``ds01 limits`` and ``ds01 limits explain`` say."""

from datetime import UTC, datetime

import pytest

from ds01.config.limits import read
from ds01.domain.container import Door
from ds01.domain.errors import NO_KEY, Ds01Error, Exit
from ds01.domain.limit_keys import KEYS
from ds01.domain.people import Uid, User
from ds01.services.limits import everything, explain
from tests.unit.config.example import EXAMPLE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SETTINGS = read(EXAMPLE, "/etc/ds01/limits.yaml")
ALICE = User(uid=Uid(1001), gid=1001, login="alice@lab.lan", home="/home/alice", groups=frozenset({"phd"}))
BOB = User(uid=Uid(1002), gid=1002, login="bob", home="/home/bob")


def test_all_limits_with_meaning_and_line() -> None:
    found = everything(SETTINGS, BOB, NOW)
    assert (found.login, found.group, found.admin) == ("bob", "student", False)
    by_key = {limit.key: limit for limit in found.limits}
    assert list(by_key) == [*KEYS, "aggregate.cpus", "aggregate.memory", "aggregate.pids"]
    assert (by_key["gpus.max"].value, by_key["gpus.max"].source) == ("2", "limits.yaml:18")
    assert (by_key["memory"].value, by_key["memory"].source) == ("32G", "limits.yaml:5")
    assert (by_key["idle"].value, by_key["idle"].source) == ("no limit", "limits.yaml:36")
    assert (by_key["aggregate.memory"].value, by_key["aggregate.memory"].source) == ("96G", "limits.yaml:38")
    assert all(limit.meaning for limit in found.limits)


def test_one_limit_says_its_line_and_what_it_overruled_also_by_its_former_name() -> None:
    for name in ("idle", "idle_timeout"):
        found = explain(SETTINGS, ALICE, name, NOW)
        assert (found.key, found.value, found.source) == ("idle", "4h", "limits.yaml:25")
        assert found.overrules == ("1h (limits.yaml:20)", "30m (limits.yaml:11)", "30m (built-in)")
    assert explain(SETTINGS, ALICE, "idle", NOW, Door.DEVCONTAINER).value == "no limit"
    assert explain(SETTINGS, BOB, "aggregate.cpus", NOW).value == "24"


@pytest.mark.parametrize(("key", "hint"), [("idel", "ds01 limits explain idle"), ("zzz", "ds01 limits")])
def test_an_unknown_limit_gets_did_you_mean(key: str, hint: str) -> None:
    with pytest.raises(Ds01Error) as caught:
        explain(SETTINGS, BOB, key, NOW)
    assert caught.value.kind is NO_KEY
    assert caught.value.kind.exit is Exit.NOT_FOUND
    assert hint in caught.value.problem.hint
