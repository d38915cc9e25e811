"""Translates a limits file of the kind labs used before into ours, and accounts for every key of it.

Nothing is guessed silently: each key of the old file is mapped, dropped with a reason, or could not be read. The
new file is text that loads; what a mapped value came from stands beside it as a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ds01.config import limits, located
from ds01.config.draft import Draft
from ds01.config.faults import refusal
from ds01.config.former import AGGREGATE, LIMITS, POLICY, WHY_DROPPED, Around, Reader, UnneededError, translate
from ds01.config.located import Located, Path, Tree, dotted
from ds01.domain.container import Door
from ds01.domain.limit_keys import Key
from ds01.domain.limits import LIFECYCLE_KEYS
from ds01.domain.quantity import many

OVERRIDES = "user-overrides.yaml"


class Outcome(StrEnum):
    """What became of a key."""

    MAPPED = "mapped"
    DROPPED = "dropped"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True)
class Account:
    """One key of the old files. ``text`` is what it became, or why it did not; ``line`` 0 is a file as a whole."""

    file: str
    line: int
    key: str
    outcome: Outcome
    text: str


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """The new file, and every key of the old ones."""

    text: str
    accounts: tuple[Account, ...]


def convert(
    text: str, name: str = "old.yaml", *, members: Mapping[str, Sequence[str]] | None = None, overrides: str = ""
) -> Conversion:
    """Convert the text of an old file. ``members`` are the logins of ``<group>.members`` files, ``overrides`` the
    text of a separate file of users' exceptions.

    Raises Ds01Error (``limits.file``) when a text is no YAML at all.
    """
    name = " ".join(name.split()) or "old.yaml"
    work = _Work(name=name, found=_read(text, name), draft=Draft())
    work.file(members or {})
    accounts = list(work.accounts)
    if overrides.strip():
        extra = _Work(name=OVERRIDES, found=_read(overrides, OVERRIDES), draft=work.draft, around=work.around)
        extra.exceptions()
        accounts += extra.accounts
    new = work.draft.text(f"Converted from {name}. Check it, then put it at /etc/ds01/limits.yaml.")
    limits.read(new, "limits.yaml")
    return Conversion(text=new, accounts=tuple(accounts))


def _read(text: str, name: str) -> Located:
    found = located.read(text)
    serious = [fault for fault in found.faults if "is given twice" not in fault.text]
    if not serious and not isinstance(found.tree, dict):
        serious = [found.fault((), "expected sections like 'defaults:' and 'groups:' at the top")]
    if serious:
        raise refusal(name, serious)
    return found


def _mapping(tree: Tree) -> dict[str, Tree]:
    return tree if isinstance(tree, dict) else {}


@dataclass(kw_only=True)
class _Work:
    """One old file on its way into the draft of the new one."""

    name: str
    found: Located
    draft: Draft
    around: Around = field(default_factory=Around)
    accounts: list[Account] = field(default_factory=list)

    def file(self, members: Mapping[str, Sequence[str]]) -> None:
        """A whole old file."""
        tree = _mapping(self.found.tree)
        self._twice()
        per_gpu = _mapping(tree.get("gpu_allocation")).get("mig_instances_per_gpu")
        self.around = Around(
            defaults=_mapping(tree.get("defaults")), instances_per_gpu=per_gpu if isinstance(per_gpu, str) else ""
        )
        sections = {"defaults", "groups", "default_group", "user_overrides", "container_types", "policies"}
        but_admin = {key.name for key, _ in LIMITS.values()} - {"admin"}  # for everybody it would be no limit at all
        self._layer(("defaults",), tree.get("defaults"), ("defaults",), only=but_admin)
        self._groups(_mapping(tree.get("groups")), members, tree.get("default_group"))
        self._users(("user_overrides",), _mapping(tree.get("user_overrides")))
        self._doors(_mapping(tree.get("container_types")))
        self._table(("policies",), _mapping(tree.get("policies")), POLICY, ("policy",))
        for section in tree.keys() - sections:
            self._drop_below((section,), tree[section])

    def exceptions(self) -> None:
        """A separate file of users' exceptions, with or without a section around them."""
        self._twice()
        tree = _mapping(self.found.tree)
        inner = tree.get("user_overrides")
        self._users(("user_overrides",) if inner is not None else (), _mapping(inner) if inner is not None else tree)

    def _groups(self, tree: dict[str, Tree], members: Mapping[str, Sequence[str]], everybody: Tree) -> None:
        names = list(tree)
        if isinstance(everybody, str):
            self._default_group(everybody, known=everybody in names)
        for name in names:
            group = _mapping(tree[name])
            self._members(name, group.get("members"), members.get(name), everybody == name)
            rest = {key: value for key, value in group.items() if key not in ("members", "aggregate")}
            self._layer(("groups", name), rest, ("groups", name))
            if name == "admin":
                self.draft.put(("groups", name, "admin"), "true")
            above: Path = ("groups", name, "aggregate")
            self._table(above, _mapping(group.get("aggregate")), AGGREGATE, ("aggregate", name))
        for name in members.keys() - set(names):
            self._file_note(f"{name}.members", Outcome.DROPPED, "the limits file has no group of this name")

    def _default_group(self, name: str, *, known: bool) -> None:
        text = f'groups.{name}.members: ["*"]' if known else f"there is no group {name!r}"
        self._note(("default_group",), Outcome.MAPPED if known else Outcome.UNREADABLE, text)

    def _members(self, name: str, listed: Tree, filed: Sequence[str] | None, everybody: bool) -> None:
        inline = [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
        logins = dict.fromkeys([*inline, *(filed or ()), *(["*"] if everybody else [])])
        self.draft.put(("groups", name, "members"), tuple(login for login in logins if login.strip()))
        if isinstance(listed, list):
            self._note(("groups", name, "members"), Outcome.MAPPED, f"groups.{name}.members")
        elif listed not in (None, ""):
            self._note(("groups", name, "members"), Outcome.UNREADABLE, "expected a list of logins")
        if filed is not None:
            self._file_note(f"{name}.members", Outcome.MAPPED, f"groups.{name}.members, {many(len(filed), 'login')}")

    def _users(self, where: Path, tree: dict[str, Tree]) -> None:
        for login, limits_ in tree.items():
            self._layer((*where, login), limits_, ("users", login))
            reason = _mapping(limits_).get("reason")
            if isinstance(reason, str) and ("users", login) in {path[:2] for path in self.draft.entries}:
                self.draft.notes["users", login] = " ".join(reason.split())

    def _doors(self, tree: dict[str, Tree]) -> None:
        doors = {door.value for door in Door}
        for name, limits_ in tree.items():
            if name in doors:
                self._layer(("container_types", name), limits_, ("doors", name), only=LIFECYCLE_KEYS)
            else:
                self._drop_below(("container_types", name), limits_, "there is no such door; docker is for the rest")

    def _layer(self, where: Path, tree: Tree, to: tuple[str, ...], only: Iterable[str] | None = None) -> None:
        """Limits of one section. Of two old names of one limit the first in the registry's order counts."""
        section = _mapping(tree)
        allowed = frozenset(only) if only is not None else None
        table = {old: entry for old, entry in LIMITS.items() if allowed is None or entry[0].name in allowed}
        self._table(where, section, table, to)

    def _table(
        self, where: Path, tree: dict[str, Tree], table: Mapping[str, tuple[Key, Reader]], to: tuple[str, ...]
    ) -> None:
        """Keys that a table knows, the first name of each first; all others are dropped."""
        around = Around(
            section=tree, defaults=self.around.defaults, instances_per_gpu=self.around.instances_per_gpu
        )  # fmt: skip
        taken: dict[str, str] = {}
        for old in sorted(tree, key=lambda name: list(table).index(name) if name in table else len(table)):
            path = (*where, old)
            if old not in table:
                self._drop_below(path, tree[old])
            elif (name := table[old][0].name) in taken:
                self._note(path, Outcome.DROPPED, f"{taken[name]} says it")
            elif self._take(path, tree[old], table[old], to, around):
                taken[name] = old

    def _take(self, path: Path, tree: Tree, entry: tuple[Key, Reader], to: tuple[str, ...], around: Around) -> bool:
        name = entry[0].name
        if isinstance(tree, dict | list):
            self._note(path, Outcome.UNREADABLE, "expected one value")
            return False
        try:
            new = translate(entry, tree, around)
        except UnneededError as reason:
            self._note(path, Outcome.DROPPED, str(reason))
            return False
        except ValueError as reason:
            self._note(path, Outcome.UNREADABLE, str(reason))
            return False
        self.draft.put((*to, *name.split(".")), new, comment=f"{path[-1]}, {self.name}:{self.found.key(path)[0]}")
        self._note(path, Outcome.MAPPED, f"{'.'.join((*to, name))}: {'null' if new is None else new}")
        return True

    def _drop_below(self, path: Path, tree: Tree, reason: str = "") -> None:
        """Everything from here on says nothing in the new file."""
        why = reason or next((WHY_DROPPED[str(part)] for part in path if part in WHY_DROPPED), "")
        inner: Any = tree if isinstance(tree, dict) else {}
        for key, value in inner.items():
            self._drop_below((*path, key), value, why)
        if not inner:
            self._note(path, Outcome.DROPPED, why or "nothing in the new file is like it")

    def _twice(self) -> None:
        for fault in self.found.faults:
            account = Account(
                file=self.name, line=fault.line, key=fault.key, outcome=Outcome.DROPPED, text=fault.text
            )  # fmt: skip
            self.accounts.append(account)

    def _note(self, path: Path, outcome: Outcome, text: str) -> None:
        line = self.found.key(path)[0]
        self.accounts.append(Account(file=self.name, line=line, key=dotted(path), outcome=outcome, text=text))

    def _file_note(self, file: str, outcome: Outcome, text: str) -> None:
        self.accounts.append(Account(file=file, line=0, key="", outcome=outcome, text=text))
