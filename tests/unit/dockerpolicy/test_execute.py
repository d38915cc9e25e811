"""``exec``, and what is said of it."""

from __future__ import annotations

from ds01.domain.dockerpolicy.config import CONFIG
from ds01.domain.dockerpolicy.execute import judge_exec
from tests.unit.dockerpolicy.test_create import MALLORY


def test_another_user_gives_way_for_a_reason_that_is_always_true() -> None:
    """A folder of the host is only one of the reasons why a container runs as its owner."""
    plan = judge_exec({"User": "root"}, MALLORY, "1002:1002")
    assert plan.body["User"] == "1002:1002"
    assert [change.text for change in plan.changes] == [
        "user set to 1002:1002: everything in this container runs as you"
    ]


def test_each_of_folder_and_user_has_its_own_words() -> None:
    says = {field.name: field.says for field in CONFIG}
    assert (says["WorkingDir"], says["User"]) == ("kept", "kept; yours when everything in the container runs as you")
