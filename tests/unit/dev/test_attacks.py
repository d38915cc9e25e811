"""Every attack has a test on a real engine, and every id in a test's name is an attack."""

from __future__ import annotations

import pytest
from dev.attacks import ATTACKS, ON_AN_ENGINE, SECTIONS, Attack, rows_of, tried

ON_ENGINES = tried(ON_AN_ENGINE)
ALL = tried()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_every_attack_is_tried(attack: Attack) -> None:
    """What cannot be tried on an engine says why, and is tried elsewhere."""
    assert attack.elsewhere or ON_ENGINES.get(attack.id), f"no test on an engine has {attack.id} in its name"
    assert ALL.get(attack.id)


def test_every_id_is_an_attack() -> None:
    assert ALL.keys() - {attack.id for attack in ATTACKS} == set()
    assert {section: sum(a.id.startswith(section) for a in ATTACKS) for section in SECTIONS} == {
        "O": 27, "S": 13, "E": 38, "P": 24, "G": 20, "D": 25,
    }  # fmt: skip


def test_names_tell_their_rows() -> None:
    assert list(rows_of("test_e9_e10_a_volume")) == ["E9", "E10"]
    assert list(rows_of("test_p1_to_p3_p18_bodies")) == ["P1", "P2", "P3", "P18"]
    assert list(rows_of("g6_cdi")) == ["G6"]
    assert list(rows_of("test_a_page2_of_s")) == []
    assert list(rows_of("test_promise_e6_a_reason")) == []
