"""Archives of images the engine saves: their lists of names are written anew where a name is another for its user."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ds01.domain.dockerpolicy.context import Context
from ds01.domain.dockerpolicy.loading import MANIFEST
from ds01.domain.dockerpolicy.tarhead import entry

Plain = Callable[[str], str]
_REPOSITORIES, _INDEX = "repositories", "index.json"
_FULL_NAME = "io.containerd.image.name"
_LISTS = frozenset({MANIFEST, _REPOSITORIES, _INDEX})


def reader() -> Context:
    """A reader for an archive the engine saves."""
    return Context(wanted=_LISTS, dropped=_LISTS)


def lists(archive: Context, plain: Plain, called: Plain) -> Iterator[bytes]:
    """Its lists as entries, with the user's names: ``called`` turns a name into hers, ``plain`` a whole text."""
    written = {MANIFEST: _manifest, _REPOSITORIES: _repositories}
    for path, content in archive.files.items():
        change = written.get(path)
        found = _index(json.loads(content), plain) if change is None else change(json.loads(content), called)
        yield entry(path, json.dumps(found, separators=(",", ":")).encode())


def _manifest(found: Any, called: Plain) -> Any:
    return [{**each, "RepoTags": [called(ref) for ref in each.get("RepoTags") or ()] or None} for each in found]


def _repositories(found: Any, called: Plain) -> Any:
    written: dict[str, Any] = {}
    for repository, tags in found.items():
        written.setdefault(called(repository), {}).update(tags)
    return written


def _index(found: Any, plain: Plain) -> Any:
    for each in found.get("manifests") or ():
        notes = each.get("annotations") or {}
        if _FULL_NAME in notes:
            notes[_FULL_NAME] = plain(notes[_FULL_NAME])
    return found
