"""BuildKit's own API: a build asked for by buildx, decoded, judged, and written anew.

A build's graph can be sent ready-made as well; such a one could name any cgroup, network or device in each step, and
none is accepted: the engine's own Dockerfile frontend makes the graph.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ds01.domain.dockerpolicy import protobuf
from ds01.domain.dockerpolicy.frontend import NAMES, Frontend, Marks, judge_frontend
from ds01.domain.dockerpolicy.heavy import too_heavy
from ds01.domain.dockerpolicy.protobuf import Field, of, of_mapping
from ds01.domain.dockerpolicy.session import ID as SESSION
from ds01.domain.dockerpolicy.tags import reference
from ds01.domain.dockerpolicy.verdict import malformed, not_allowed

REF = r"[A-Za-z0-9]{8,64}"
_IMAGES = frozenset({"moby", "image"})
_FILES = frozenset({"local", "tar"})
_NOTHING_TO_SAY = frozenset({"load", "unpack", "oci-mediatypes", "buildinfo", "dest", "rewrite-timestamp"})
_CONFIG = "containerimage.config"
CONFIG_BYTES = 1024 * 1024
"""Of an image's configuration, with the history of its layers."""

PARTS, PART_FIELDS = 16, 64
"""Outputs and caches of a build, and what each says: clients give one or two."""


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """Where a result goes: an image under ``refs``, or the client's own files."""

    kind: str
    refs: tuple[str, ...] = ()

    def fields(self, kind: int, attributes: int, stored: Mapping[str, str]) -> list[Field]:
        """As fields of these numbers; ``stored`` has the engine's names of those that it has under others."""
        names = {"name": ",".join(stored.get(ref, ref) for ref in self.refs)} if self.refs else {}
        return [of(kind, self.kind), *of_mapping(attributes, names)]


@dataclass(frozen=True, kw_only=True)
class Solve:
    """A judged build."""

    ref: str
    session: str
    name: str
    frontend: Frontend
    deprecated: Exporter | None
    exporters: Sequence[Exporter]
    inline_cache: bool
    internal: bool

    @property
    def refs(self) -> tuple[str, ...]:
        """The image names it writes."""
        every = (self.deprecated, *self.exporters) if self.deprecated else self.exporters
        return tuple(dict.fromkeys(ref for exporter in every for ref in exporter.refs))

    def message(self, marks: Marks, policy: bytes | None, stored: Mapping[str, str]) -> bytes:
        """The request for the engine. ``policy`` says what it may be made from; None for an engine that keeps none.
        ``stored`` has the engine's names of those it writes under others.
        """
        cache = [of(4, protobuf.render([of(1, "inline")]))] if self.inline_cache else []
        return protobuf.render([
            of(1, self.ref),
            *(self.deprecated.fields(3, 4, stored) if self.deprecated else ()),
            of(5, self.session),
            *([of(6, self.name)] if self.name else ()),
            *of_mapping(7, self.frontend.finished(marks)),
            of(8, protobuf.render(cache)),
            *([of(11, 1)] if self.internal else ()),
            *([of(12, policy)] if policy is not None else ()),
            *(of(13, protobuf.render(exporter.fields(1, 2, stored))) for exporter in self.exporters),
        ])  # fmt: skip


def judge_solve(data: bytes, platform: str) -> Solve:
    """``Control/Solve``. Raises RefusedError."""
    found = protobuf.fields(data)
    _only(found, range(1, 15))
    ref, session = protobuf.text(found, 1), protobuf.text(found, 5)
    if not re.fullmatch(REF, ref) or not re.fullmatch(SESSION, session):
        raise malformed("build.ref", "The build's or its session's id is malformed")
    _nothing(found, 9, "an entitlement of a build", "builds here have no privileges; leave out --allow")
    _nothing(found, 12, "a source policy of one's own", "the server has one")
    _nothing(found, 14, "an export over the session", "leave it out")
    name = protobuf.text(found, 3)
    return Solve(
        ref=ref, session=session, name=_frontend(found, 6, 2, 10),
        frontend=judge_frontend(protobuf.mapping(found, 7), platform),
        deprecated=_exporter(name, protobuf.mapping(found, 4)) if name else None,
        exporters=[_exporter(protobuf.text(each, 1), protobuf.mapping(each, 2)) for each in _messages(found, 13)],
        inline_cache=_cache(protobuf.one(found, 8)), internal=_on(found, 11),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BridgeSolve:
    """A judged second step: the client asks for the frontend itself."""

    name: str
    frontend: Frontend
    flags: tuple[tuple[int, int], ...]

    def message(self, marks: Marks) -> bytes:
        """The request for the engine."""
        given = [of(number, value) for number, value in self.flags]
        head = [of(2, self.name)] if self.name else []
        return protobuf.render([*head, *of_mapping(3, self.frontend.finished(marks)), *given])


def judge_bridge_solve(data: bytes, platform: str) -> BridgeSolve:
    """``LLBBridge/Solve``. Raises RefusedError."""
    found = protobuf.fields(data)
    _only(found, (1, 2, 3, 5, 6, 12, 13, 14))
    name = _frontend(found, 2, 1, 13)
    if not name:
        raise not_allowed("build.graph", "a build without a Dockerfile", "Use docker build.")
    flags = tuple((number, 1) for number in (5, 6, 14) if _on(found, number))
    return BridgeSolve(name=name, frontend=judge_frontend(protobuf.mapping(found, 3), platform), flags=flags)


def judge_return(data: bytes, labels: Mapping[str, str]) -> bytes:
    """``LLBBridge/Return``: the client hands the result on, with the image's configuration in it; its labels are ours.
    Raises RefusedError.
    """
    found = protobuf.fields(data)
    _only(found, (1, 2))
    result = protobuf.one(found, 1)
    if result is None:
        return protobuf.render(found)
    inner = protobuf.fields(result.data)
    _only(inner, (1, 2, 3, 4, 10, 11))
    kept = [field for field in inner if field.number != 10]
    metadata: dict[str, bytes] = {}
    for key, value in protobuf.pairs(inner, 10):
        if key in metadata:
            raise protobuf.broken("metadata with a key twice")
        metadata[key] = _labelled(value, labels) if key.startswith(_CONFIG) else value
    entries = [of(10, protobuf.render([of(1, key), of(2, value)])) for key, value in metadata.items()]
    return protobuf.render([of(1, protobuf.render([*kept, *entries])), *(f for f in found if f.number != 1)])


def _labelled(config: bytes, labels: Mapping[str, str]) -> bytes:
    if len(config) > CONFIG_BYTES:
        raise protobuf.broken(f"an image's configuration is longer than {CONFIG_BYTES} bytes")
    try:
        found = json.loads(config)
    except (ValueError, RecursionError) as error:
        raise protobuf.broken("an image's configuration is no JSON") from error
    if not isinstance(found, dict) or len([key for key in found if key.casefold() == "config"]) > 1:
        raise protobuf.broken("an image's configuration is no object")
    found = {"config" if key.casefold() == "config" else key: value for key, value in found.items()}
    inner = found.get("config") or {}
    if not isinstance(inner, dict):
        raise protobuf.broken("an image's configuration is no object")
    given = next((value for key, value in inner.items() if key.casefold() == "labels"), None) or {}
    if not isinstance(given, dict):
        raise protobuf.broken("an image's labels are no object")
    found["config"] = {key: value for key, value in inner.items() if key.casefold() != "labels"}
    found["config"]["Labels"] = {**given, **labels}
    if heavy := too_heavy(found["config"]):
        raise malformed("image.heavy", f"The image cannot be kept: {heavy}", "COPY what is long as a file.")
    return json.dumps(found).encode()


def _only(found: Sequence[Field], known: Sequence[int]) -> None:
    """A field there is no rule for may do anything."""
    for field in found:
        if field.number not in known and field.value not in (0, b""):
            raise malformed("grpc.field", f"Field {field.number} of this message is not served",
                            "Tell your admin: your client is newer than DS01.")  # fmt: skip


def _nothing(found: Sequence[Field], number: int, what: str, advice: str) -> None:
    if any(field.number == number and field.value not in (0, b"") for field in found):
        raise not_allowed("build.solve", what, f"{advice[:1].upper()}{advice[1:]}.")


def _on(found: Sequence[Field], number: int) -> bool:
    field = protobuf.one(found, number)
    return field is not None and field.count != 0


def _messages(found: Sequence[Field], number: int) -> list[list[Field]]:
    parts = [field.data for field in found if field.number == number]
    if len(parts) > PARTS:
        raise protobuf.broken(f"it has more than {PARTS} parts of one kind")
    return [protobuf.fields(part, PART_FIELDS) for part in parts]


def _frontend(found: Sequence[Field], name: int, definition: int, inputs: int) -> str:
    frontend = protobuf.text(found, name)
    if frontend not in NAMES:
        raise not_allowed("build.frontend", f"the frontend {frontend[:40]}", "Use a Dockerfile.")
    _nothing(found, definition, "a ready-made graph", "use a Dockerfile")
    _nothing(found, inputs, "a context made by another build", "build it first and name its image")
    return frontend


def _exporter(kind: str, attributes: Mapping[str, str]) -> Exporter:
    if kind in _FILES:
        return Exporter(kind=kind)
    if kind not in _IMAGES:
        raise not_allowed("build.outputs", f"the output {kind[:40]} of a build", "Use -o type=local, or --load.")
    for name, value in attributes.items():
        if name == "push" and value not in ("", "false"):
            raise not_allowed("build.push", "pushing from a build", "Push it afterwards: docker push.")
        if name not in ("name", "push", *_NOTHING_TO_SAY) and value:
            raise not_allowed("build.outputs", f"{name[:40]} of a build's output", "Leave it out.")
    refs = [reference(ref.strip()) for ref in attributes.get("name", "").split(",") if ref.strip()]
    return Exporter(kind=kind, refs=tuple(dict.fromkeys(refs)))


def _cache(field: Field | None) -> bool:
    """Whether the result carries its cache. Other caches would be written or fetched by the engine."""
    if field is None:
        return False
    found = protobuf.fields(field.data)
    kinds = [protobuf.text(each, 1) for each in _messages(found, 4)]
    if protobuf.text(found, 1) or any(kind != "inline" for kind in kinds):
        raise not_allowed("build.cache", "a build cache elsewhere", "Use --cache-to type=inline.")
    return bool(kinds)
