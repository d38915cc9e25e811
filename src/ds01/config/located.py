"""YAML with places: plain values, and for each of them the line and column it stands on.

Scalars stay text as they were written, because ``0.5h``, ``on`` and ``5%`` mean what our keys say and not what
YAML guesses; only an unquoted ``null`` is None. Duplicate keys are mistakes: the last one would win silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ds01.config.faults import Fault

Tree = dict[str, "Tree"] | list["Tree"] | str | None
Path = tuple[str | int, ...]
Place = tuple[int, int]

MOST_BYTES = 1024**2
MOST_VALUES = 100_000
"""More than this is no file somebody wrote but aliases of aliases."""
_NULLS = frozenset({"null", "Null", "NULL", "~"})


@dataclass(kw_only=True)
class Located:
    """A read file. ``keys`` and ``values`` give the place of a path; a path that is not in the file has the
    place of the nearest thing around it.
    """

    tree: Tree = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def key(self, path: Path) -> Place:
        """Where the key (or list item) stands."""
        return _nearest(self.keys, path)

    def value(self, path: Path) -> Place:
        """Where its value begins."""
        return self.values.get(path) or self.key(path)

    def fault(self, path: Path, text: str, *, at_key: bool = False) -> Fault:
        """A mistake at this path."""
        line, column = self.key(path) if at_key else self.value(path)
        return Fault(line=line, column=column, key=dotted(path), text=text)


def dotted(path: Path) -> str:
    """``groups.student.gpus.max``, ``exemptions[0].until``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _nearest(places: Mapping[Path, Place], path: Path) -> Place:
    while path and path not in places:
        path = path[:-1]
    return places.get(path, (1, 1))


def read(text: str) -> Located:
    """Read one YAML document. Never raises: what cannot be read is among the faults."""
    found = Located()
    if len(text.encode()) > MOST_BYTES:
        found.faults.append(Fault(line=0, column=0, key="", text="is larger than 1M; that is no limits file"))
        return found
    try:
        node = YAML(typ="rt", pure=True).compose(text)
        if node is not None:
            found.tree = _convert(node, (), (), found)
    except MarkedYAMLError as error:
        found.faults.append(_syntax(error))
    except YAMLError as error:
        found.faults.append(Fault(line=1, column=1, key="", text=f"is no YAML text: {str(error).splitlines()[0]}"))
    except RecursionError:
        found.faults.append(
            Fault(line=1, column=1, key="", text="is nested too deeply or repeats itself too often to read")
        )
    return found


def _syntax(error: MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    context = f" {error.context}" if error.context else ""
    text = f"cannot be read as YAML: {error.problem or 'a mistake'}{context}"
    return Fault(line=mark.line + 1 if mark else 1, column=mark.column + 1 if mark else 1, key="", text=text)


def _place(node: Node) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _convert(node: Node, path: Path, around: tuple[Node, ...], found: Located) -> Tree:
    found.values[path] = _place(node)
    if len(found.values) > MOST_VALUES:
        raise RecursionError
    if any(node is outer for outer in around):
        found.faults.append(found.fault(path, "contains itself"))
        return None
    if isinstance(node, MappingNode):
        return _mapping(node, path, (*around, node), found)
    if isinstance(node, SequenceNode):
        items: list[Tree] = []
        for index, item in enumerate(node.value):
            found.keys[(*path, index)] = _place(item)
            items.append(_convert(item, (*path, index), (*around, node), found))
        return items
    return _scalar(node, path, found)


def _mapping(node: MappingNode, path: Path, around: tuple[Node, ...], found: Located) -> Tree:
    tree: dict[str, Tree] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, ScalarNode):
            line, column = _place(key_node)
            found.faults.append(Fault(line=line, column=column, key=dotted(path), text="a key must be plain text"))
            continue
        inner = (*path, key_node.value)
        if inner in found.keys and key_node.value in tree:
            line, column = _place(key_node)
            first = found.keys[inner][0]
            found.faults.append(
                Fault(line=line, column=column, key=dotted(inner), text=f"is given twice, first on line {first}")
            )
            continue
        found.keys[inner] = _place(key_node)
        tree[key_node.value] = _convert(value_node, inner, around, found)
    return tree


def _scalar(node: Node, path: Path, found: Located) -> str | None:
    if isinstance(node, ScalarNode) and node.style is None:
        if node.value == "" and path in found.keys:
            found.values[path] = found.keys[path]  # YAML puts what is not there before the next thing
        if node.value in _NULLS:
            return None
    return str(node.value)
