"""Query strings: read once, judged by name, written anew.

The engine takes the first of two equal parameters, so an attacker's ``filters`` in front would beat ours; here a
parameter is there once or is a list by nature. A parameter without a rule is left out when it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote, unquote_to_bytes

from ds01.domain.dockerpolicy import strictjson
from ds01.domain.dockerpolicy.config import STOP_SECONDS
from ds01.domain.dockerpolicy.verdict import EngineWordsError, RefusedError, malformed

Filters = dict[str, list[str]]
Reader = Callable[[str, str], str]

_NOTHING = frozenset({"", "0", "no", "false", "none"})
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LENGTH = 8192
FILTERS, FILTERS_LENGTH = 100, 2048
"""Values of all filters of a request, and their characters: everything listed is compared with each of them."""


def flag(name: str, value: str) -> str:
    """A switch, as the engine reads it: everything but nothing is on."""
    if len(value) > 8:
        raise malformed("query.value", f"{name} must be 1 or 0")
    return "0" if value.strip().lower() in _NOTHING else "1"


def number(name: str, value: str) -> str:
    """A whole number."""
    if not re.fullmatch(r"-?[0-9]{1,18}", value):
        raise malformed("query.value", f"{name} must be a whole number")
    return value


def grace(name: str, value: str) -> str:
    """Seconds in which what runs may end by itself. Who asks for more, or for no end of them, gets the most."""
    return value if 0 <= int(number(name, value)) <= STOP_SECONDS else str(STOP_SECONDS)


def matching(pattern: str, meant: str) -> Reader:
    """A text of these characters; ``meant`` says in words what is."""
    compiled = re.compile(pattern)

    def read(name: str, value: str) -> str:
        if not compiled.fullmatch(value):
            raise malformed("query.value", f"{name} has a value that is not served", f"It takes {meant}.")
        return value

    return read


def one_of(*words: str) -> Reader:
    """One of these words."""
    return matching("|".join(map(re.escape, words)), " or ".join(words))


def anything(name: str, value: str) -> str:
    """A text without control characters."""
    if any(c < " " or c == "\x7f" for c in value):
        raise malformed("query.value", f"{name} contains a control character", "Leave it out.")
    return value


def lines(name: str, value: str) -> str:
    """A text of several lines."""
    return "\n".join(anything(name, line) for line in value.replace("\r\n", "\n").split("\n"))


def tail(name: str, value: str) -> str:
    """How many lines from the end; as the engine reads it, what is no number means all."""
    anything(name, value)
    return value if re.fullmatch(r"[0-9]{1,9}", value) else "all"


TIME = matching(r"[0-9TtZz:.+-]{0,40}", "a time like 1772366400.5 or 2026-03-01T12:00:00Z")
"""A time: seconds with a fraction, or RFC 3339."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The parameters of one route. ``many`` may be repeated; ``filters`` are the keys its ``filters`` may have.

    ``ignored`` are those that old clients send and no engine has read for years; ``unread``: nothing is read, because
    nothing of the request goes anywhere.
    """

    one: Mapping[str, Reader] = field(default_factory=dict)
    many: Mapping[str, Reader] = field(default_factory=dict)
    filters: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    unread: bool = False

    @cached_property
    def names(self) -> frozenset[str]:
        """Every parameter there is."""
        return frozenset(self.one) | frozenset(self.many) | self.ignored | ({"filters"} if self.filters else set())


@dataclass(frozen=True, kw_only=True)
class Query:
    """The parameters of one request, judged. ``beside`` are unknown ones, which its body has to say as well."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()

    def get(self, name: str) -> str:
        """A parameter that is there once, or empty."""
        found = self.values.get(name, ())
        return found[0] if found else ""

    def on(self, name: str) -> bool:
        """Whether a switch is on."""
        return self.get(name) == "1"


NOTHING = Query()


def judge(raw: str, rules: Rules, *, body: bool = False) -> Query:
    """Read and judge a query string; where there is a ``body``, it says what becomes of unknown parameters."""
    return NOTHING if not raw or rules.unread else _judged(_pairs(raw), rules, body)


def _judged(pairs: Sequence[tuple[str, str]], rules: Rules, body: bool) -> Query:
    values: dict[str, list[str]] = {}
    beside = set[str]()
    filters: Filters = {}
    for name, value in pairs:
        if name == "filters" and rules.filters:
            if filters:
                raise malformed("query.duplicate", "filters is there twice")
            filters = _filters(value, rules.filters)
        elif name in rules.many and value:
            values.setdefault(name, []).append(rules.many[name](name, value))
        elif name in rules.one:
            if name in values:
                raise malformed("query.duplicate", f"{name} is there twice")
            if value:
                values[name] = [rules.one[name](name, value)]
        elif name not in rules.ignored and not _says_nothing(name, value):
            beside.add(name)
    if beside and not body:
        raise unknown(min(beside))
    return Query(values=values, filters=filters, beside=frozenset(beside))


def _says_nothing(name: str, value: str) -> bool:
    return value.lower() in _NOTHING or (name == "filters" and value in ("{}", "null"))


def unknown(name: str) -> RefusedError:
    """What is said to a parameter without a rule."""
    return malformed("query.unknown", f"The parameter {name[:40]!r} is not served here", "Leave it out.")


def _pairs(raw: str) -> list[tuple[str, str]]:
    if len(raw) > _LENGTH * 4:
        raise malformed("query.length", "The query is too long")
    if ";" in raw:
        raise malformed("query.separator", "The query contains ';'")
    found = []
    for part in filter(None, raw.split("&")):
        name, _, value = part.partition("=")
        found.append((_decoded(name), _decoded(value)))
    return found


def _decoded(text: str) -> str:
    if _ESCAPE.search(text):
        raise malformed("query.escape", "The query contains a broken escape")
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed("query.encoding", "The query is no UTF-8") from error


def _filters(value: str, known: frozenset[str]) -> Filters:
    """Both forms clients send: lists of values, and maps of value to true."""
    if not value:
        return {}
    found: Filters = {}
    for key, entries in strictjson.parse_object(value.encode()).items():
        if key not in known:
            if not strictjson.is_zero(entries):
                raise EngineWordsError("query.filter", f"invalid filter '{key[:40]}'", status=400)
            continue
        if isinstance(entries, list):
            texts = entries
        elif isinstance(entries, dict) and all(isinstance(item, bool) for item in entries.values()):
            texts = list(entries)
        else:
            raise malformed("query.filter", f"The filter {key} must be a list of texts")
        if not all(isinstance(item, str) for item in texts):
            raise malformed("query.filter", f"The filter {key} must be a list of texts")
        found[key] = [anything(key, str(item)) for item in texts]
    every = [each for many in found.values() for each in many]
    if len(every) > FILTERS or sum(map(len, every)) > FILTERS_LENGTH:
        what = f"The filters have more than {FILTERS} values, or {FILTERS_LENGTH} characters"
        raise malformed("query.filters", what, "Ask several times, with fewer each time.")
    return found


def render(values: Mapping[str, Sequence[str]], filters: Mapping[str, Sequence[str]] | None = None) -> str:
    """A query string for the engine, with its question mark; empty when there is nothing to say."""
    parts = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, many in values.items() for value in many]
    if filters:
        spelled: strictjson.Json = {key: dict.fromkeys(many, True) for key, many in filters.items()}
        parts.append("filters=" + quote(strictjson.dump(spelled).decode("ascii"), safe=""))
    return "?" + "&".join(parts) if parts else ""
