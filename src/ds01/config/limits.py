"""Reads a limits file into settings, or says everything that is wrong with it at once.

A file with one mistake is not in force at all: half a policy is a policy nobody wrote. Each mistake names its
line and column, what was expected, and the nearest valid key.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as File

from pydantic import ValidationError

from ds01.config import located, settings, shape
from ds01.config.explained import explained
from ds01.config.faults import Fault, refusal
from ds01.config.located import Located, Path
from ds01.domain import names
from ds01.domain.errors import BAD_LIMITS_FILE, Ds01Error
from ds01.domain.settings import ImageSettings, Settings


def load(path: File) -> Settings:
    """The settings of a file; of no file at all the built-in ones, whose ``source`` says so.

    Raises Ds01Error (``limits.file``) with every mistake, or when the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error.strerror).lower()
        raise Ds01Error(
            BAD_LIMITS_FILE,
            f"The limits file {path} cannot be read.",
            reason=f"{path}: {reason}",
            hint=f"Make {path} a readable YAML file, or move it away to use the built-in limits.",
        ) from error
    return read(text, str(path))


def read(text: str, file: str = "limits.yaml") -> Settings:
    """The settings in this text; ``file`` is its name in errors and sources. Raises Ds01Error as ``load``."""
    found = located.read(text)
    faults = list(found.faults)
    if not isinstance(found.tree, dict) and found.tree not in (None, ""):
        faults.append(found.fault((), "expected sections like 'defaults:' and 'groups:' at the top"))
    if faults and not isinstance(found.tree, dict | None):
        raise refusal(file, faults)
    faults.extend(_crossed(found))
    try:
        shaped = shape.File.model_validate(found.tree)
    except ValidationError as error:
        faults.extend(explained(error, found))
        raise refusal(file, faults) from error
    if faults:
        raise refusal(file, faults)
    return settings.build(shape.written(shaped), found, file)


def _crossed(found: Located) -> Iterator[Fault]:
    """Mistakes between sections, seen on the tree so that they show together with all others."""
    tree = found.tree if isinstance(found.tree, dict) else {}
    groups = _names(tree.get("groups"))
    for group in _names(tree.get("aggregate")):
        if group not in groups:
            guess = names.nearest(group, groups)
            better = f"; did you mean {guess}?" if guess else f"; groups are {', '.join(groups) or 'not set'}"
            yield found.fault(("aggregate", group), f"no such group{better}", at_key=True)
    images = tree.get("images")
    bases = images.get("bases") if isinstance(images, dict) else None
    for name in _names(bases):
        yield from _base(name, bases.get(name) if isinstance(bases, dict) else None, found)


def _base(name: str, base: located.Tree, found: Located) -> Iterator[Fault]:
    where: Path = ("images", "bases", name)
    if not names.is_name(name):
        better = names.corrected(name)
        yield found.fault(where, f"no name for a base; try {better or 'pytorch'}", at_key=True)
    known = any(built_in.name == name for built_in in ImageSettings().bases)
    if not known and (not isinstance(base, dict) or "reference" not in base):
        yield found.fault(where, "a new base needs its image: reference: docker.io/library/python:3.12", at_key=True)


def _names(tree: located.Tree) -> list[str]:
    return list(tree) if isinstance(tree, dict) else []
