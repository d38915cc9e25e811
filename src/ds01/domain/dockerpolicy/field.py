"""A field and the one rule that judges it: the table of the policy is made of these, and so is its docs page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from ds01.domain.dockerpolicy.case import Case, Kept
from ds01.domain.dockerpolicy.shape import names, struct
from ds01.domain.dockerpolicy.strictjson import Json, is_zero
from ds01.domain.dockerpolicy.verdict import not_allowed


class Dropped:
    """The type of ``DROP``."""


DROP: Final = Dropped()
"""A rule's answer when the field is not passed on."""

Judge = Callable[[Case, Json], Kept | Dropped]


@dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """One field: its canonical name, its rule's id, what the rule says in one line, and the rule."""

    name: str
    rule: str
    says: str
    judge: Judge


@cache
def _names(table: tuple[Field, ...]) -> Mapping[str, str]:
    return names(*(field.name for field in table))


def judge_struct(name: str, value: Json, table: tuple[Field, ...], case: Case) -> dict[str, Kept]:
    """Every field of a struct that was sent, judged; what was not sent is not judged. ``table`` is one of the policy's,
    and not made for the occasion.
    """
    read = struct(name, value, _names(table))
    kept: dict[str, Kept] = {}
    for field in table:
        if field.name in read.values:
            answer = field.judge(case, read.values[field.name])
            if not isinstance(answer, Dropped):
                kept[field.name] = answer
    return kept


def must_be_empty(name: str, rule: str, what: str, advice: str = "", *, also: Sequence[Json] = ()) -> Field:
    """A field that may say nothing, or one of ``also``."""

    def judge(case: Case, value: Json) -> Dropped:
        del case
        if not is_zero(value) and not any(value == item and type(value) is type(item) for item in also):
            raise not_allowed(rule, what, advice)
        return DROP

    return Field(name=name, rule=rule, says=f"must be empty: {what} is refused", judge=judge)


def dropped(name: str, rule: str, why: str) -> Field:
    """A field that is left out, whatever it says."""

    def judge(case: Case, value: Json) -> Dropped:
        if not is_zero(value):
            case.changed(rule, f"{name} left out: {why}")
        return DROP

    return Field(name=name, rule=rule, says=f"left out: {why}", judge=judge)


def kept(name: str, rule: str, says: str, reader: Callable[[str, Json], Json]) -> Field:
    """A field that passes when it has the right type."""

    def judge(case: Case, value: Json) -> Json:
        del case
        return reader(name, value)

    return Field(name=name, rule=rule, says=says, judge=judge)
