"""The registry of limits: reading and showing agree, names are found."""

from datetime import timedelta
from fractions import Fraction

import pytest

from ds01.domain.limit_keys import KEYS, Key, Kind, expected, find, read, show


@pytest.mark.parametrize("key", KEYS.values(), ids=list(KEYS))
def test_every_default_reads_back_as_it_is_shown(key: Key) -> None:
    text = show(key, key.default)
    assert read(key, {"no": "false", "yes": "true"}.get(text, text)) == key.default
    assert key.meaning
    assert not key.meaning.endswith(".")
    assert expected(key)


@pytest.mark.parametrize(
    ("name", "text", "value", "shown"),
    [
        ("gpus.max", "2.5", Fraction(5, 2), "2.5"),
        ("gpus.max", "0.43", Fraction(43, 100), "0.43"),
        ("cpus", "2.5", 2.5, "2.5"),
        ("memory", "32g", 32 * 1024**3, "32G"),
        ("swap", "0", 0, "0"),
        ("idle", "0.5h", timedelta(minutes=30), "30m"),
        ("priority", "-3", -3, "-3"),
        ("admin", "true", True, "yes"),
        ("devices", "none", (), "none"),
        ("devices", "", (), "none"),
        ("devices", " /dev/snd/*   /dev/kvm ", ("/dev/snd/*", "/dev/kvm"), "/dev/snd/* /dev/kvm"),
        ("publish", "loopback", (), "loopback"),
        ("publish", "", (), "loopback"),
        ("publish", "any", ("any",), "any"),
        ("publish", " 10.20.0.5  10.20.1.5 10.20.0.5", ("10.20.0.5", "10.20.1.5"), "10.20.0.5 10.20.1.5"),
    ],
)
def test_values_are_read_and_shown_as_people_write_them(name: str, text: str, value: object, shown: str) -> None:
    found = read(KEYS[name], text)
    assert found == value
    assert type(found) is type(value)
    assert show(KEYS[name], found) == shown


def test_no_limit_is_shown_as_such() -> None:
    assert show(KEYS["idle"], None) == "no limit"


@pytest.mark.parametrize(
    ("text", "key", "guess"),
    [
        ("idle", "idle", "idle"),
        ("idle_timeout", "idle", "idle"),
        ("max_gpu_equivalents", "gpus.max", "gpus.max"),
        ("idel", None, "idle"),
        ("idle_timeouts", None, "idle"),
        ("workspace", None, "disk.workspace"),
        ("zzz", None, ""),
    ],
)
def test_a_key_is_found_by_its_name_its_former_one_or_guessed(text: str, key: str | None, guess: str) -> None:
    found, near = find(text)
    assert (found.name if found else None, near) == (key, guess)


def test_former_names_point_to_one_key_each() -> None:
    former = [name for key in KEYS.values() for name in key.former]
    assert len(former) == len(set(former))
    assert not set(former) & set(KEYS)


def test_kinds_are_all_in_use_or_for_the_rules() -> None:
    assert {key.kind for key in KEYS.values()} | {Kind.SHARE} == set(Kind)
