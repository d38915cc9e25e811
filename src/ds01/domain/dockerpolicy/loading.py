"""``docker load``: which images an archive has, under which names. The list in it is judged and written anew.

The engine reads the list when it has the whole archive. The archive's own lists, of every form engines know, are left
out on their way; at its end stands ours. So what was judged is what is loaded, whatever stands where in the archive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ds01.domain.dockerpolicy import shape, strictjson
from ds01.domain.dockerpolicy.context import Context
from ds01.domain.dockerpolicy.strictjson import Json
from ds01.domain.dockerpolicy.tags import reference
from ds01.domain.dockerpolicy.verdict import malformed

MANIFEST = "manifest.json"
LISTS = frozenset({MANIFEST, "repositories", "index.json", "oci-layout"})
IMAGES, NAMES, LAYERS = 100, 500, 500
VALUES = 65_536
"""Of the whole list, before one is made."""

_ENTRY = shape.names("Config", "RepoTags", "Layers", "Parent", "LayerSources")


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """One image: where its configuration and its layers lie in the archive, its id, and its names."""

    config: str
    image: str
    names: tuple[str, ...]
    layers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """The images of an archive, each with the names it brings."""

    loaded: tuple[Loaded, ...]

    @property
    def refs(self) -> tuple[str, ...]:
        """The names that will be written."""
        return tuple(dict.fromkeys(ref for each in self.loaded for ref in each.names))

    @property
    def images(self) -> tuple[str, ...]:
        """The ids of what will be there."""
        return tuple(dict.fromkeys(each.image for each in self.loaded))

    @property
    def nameless(self) -> tuple[str, ...]:
        """Those of them under no name that will be written."""
        named = {each.image for each in self.loaded if each.names}
        return tuple(image for image in self.images if image not in named)

    @property
    def manifest(self) -> bytes:
        """Our list."""
        written: list[Json] = [
            {"Config": each.config, "RepoTags": [*each.names] or None, "Layers": [*each.layers]} for each in self.loaded
        ]
        return strictjson.dump(written)

    def named(self, names: Mapping[str, str]) -> LoadPlan:
        """The same with the engine's names (``names``) for those that are written in the user's own name space."""
        return LoadPlan(
            loaded=tuple(replace(each, names=tuple(names.get(ref, ref) for ref in each.names)) for each in self.loaded)
        )

    def without(self, there: Mapping[str, str]) -> LoadPlan:
        """The same without names that mean their image already (``there``: image ids by name): nothing is written."""
        return LoadPlan(
            loaded=tuple(
                replace(each, names=tuple(ref for ref in each.names if there.get(ref) != each.image))
                for each in self.loaded
            )
        )


def reader() -> Context:
    """A reader for an archive of images."""
    return Context(wanted=frozenset({MANIFEST}), dropped=LISTS, digested=True)


def judge_load(archive: Context) -> LoadPlan:
    """The plan of a load, once the archive was read. Raises RefusedError."""
    content = archive.files.get(MANIFEST)
    if content is None:
        raise malformed("load.manifest", "invalid archive: does not contain a manifest.json", "Make it by docker save.")
    entries = shape.items(MANIFEST, strictjson.parse(content, VALUES))
    if not 0 < len(entries) <= IMAGES:
        raise malformed("load.manifest", f"An archive has 1 to {IMAGES} images")
    judged = tuple(_entry(archive, item) for item in entries)
    if sum(len(each.names) for each in judged) > NAMES:
        raise malformed("load.manifest", f"An archive names {NAMES} images at most")
    return LoadPlan(loaded=judged)


def _entry(archive: Context, item: Json) -> Loaded:
    """Where its configuration lies, its names and its layers; who its parent is stays unsaid."""
    found = shape.struct(MANIFEST, item, _ENTRY)
    config = _path(shape.text("Config", found.get("Config")))
    if config not in archive.digests:
        raise malformed("load.config", "The archive has no configuration for one of its images")
    layers = [_path(layer) for layer in shape.texts("Layers", found.get("Layers"))]
    if len(layers) > LAYERS:
        raise malformed("load.layers", f"An image has {LAYERS} layers at most")
    names = tuple(reference(name) for name in shape.texts("RepoTags", found.get("RepoTags")))
    return Loaded(config=config, image=f"sha256:{archive.digests[config]}", names=names, layers=tuple(layers))


def _path(text: str) -> str:
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise malformed("load.path", "The archive's list names a path outside of it")
    return "/".join(parts)
