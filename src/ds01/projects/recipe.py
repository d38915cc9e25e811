"""Decides what a project's image is made of, and the hash by which a change of that is known.

The hash covers what is sent to the engine: every instruction (so the base, Debian and Python packages, the server's
environment, and the way DS01 writes Dockerfiles) and the content of every file. The base image's own version is
compared apart, by digest, so that its name counts here and not the digest it is built from; the user's uid is not
part, because an image has one user.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ds01.domain.digest import sha256_hex
from ds01.domain.errors import BAD_PROJECT_FILE, Ds01Error
from ds01.domain.names import nearest
from ds01.domain.project import ImageRecipe
from ds01.domain.record import made, record, replace
from ds01.projects import dockerfile, packages, requirements
from ds01.projects.dockerfile import CA_FILE, Contents, Instruction
from ds01.wire.codec import plain
from ds01.wire.images import BaseView, BuildSettings


@record
class Recipe:
    """What to build. ``base`` is the reference to compare digests with, ``""`` when only the Dockerfile knows.

    ``context`` are the files the engine gets besides the Dockerfile; None is the whole folder, less what
    ``.dockerignore`` names. ``titles`` say what each instruction is for. Made from settings without the server's
    certificates it has the right ``spec`` and can not be built.
    """

    dockerfile: str
    path: str = "Dockerfile"
    spec: str
    base: str = ""
    context: Mapping[str, bytes] | None = None
    titles: tuple[str, ...] = ()
    steps: tuple[Instruction, ...] = ()
    """The instructions of a generated Dockerfile."""
    buildkit: bool = False
    """Whether it is BuildKit that builds it."""
    environment: Mapping[str, str] = made(factory=dict)
    contents: Contents | None = None
    """What a generated Dockerfile was written from."""

    here: tuple[str, ...] = ()
    """The server's bases that can be built on without a registry."""
    asked: str = ""
    """The project file's [image] table as JSON: an image carries it, so that one can go back to it."""

    @property
    def generated(self) -> bool:
        """Whether DS01 wrote this Dockerfile."""
        return self.context is not None


def generated(image: ImageRecipe, settings: BuildSettings, files: Mapping[str, bytes]) -> Recipe:
    """The recipe DS01 writes for this project. ``files`` are its requirements files (``requirements.gather``)."""
    base = resolve_base(image.base, settings.bases)
    listed = packages.entries(image.python)
    in_files = [entry for path, text in files.items() for entry in requirements.entries(path, text.decode())]
    contents = Contents(
        base=base,
        apt=image.apt,
        python=listed,
        requirements=image.requirements,
        files=sorted(files),
        pinned=[entry.requirement for entry in (*listed, *in_files) if entry.name and entry.pinned],
        asked=(*listed, *in_files),
        certificates=bool(settings.ca_pem or settings.ca_sha256),
        environment=settings.environment,
    )
    steps = dockerfile.instructions(contents)
    context = dict(files)
    if settings.ca_pem:
        context[CA_FILE] = settings.ca_pem.encode()
    known_by_hash = {CA_FILE: settings.ca_sha256} if settings.ca_sha256 else {}
    spec = spec_hash([step.text for step in steps], context, known_by_hash)
    known = catalogued(image.base, settings.bases)
    if known is not None and known.pinned:
        steps = (replace(steps[0], text=f"FROM {known.pinned}"), *steps[1:])
    return Recipe(
        dockerfile=dockerfile.render(steps, spec),
        spec=spec,
        base=base,
        context=context,
        titles=tuple(step.title for step in steps),
        steps=steps,
        buildkit=settings.buildkit,
        contents=contents,
        asked=told(image),
        here=tuple(base.name for base in settings.bases if base.here),
    )


def told(image: ImageRecipe) -> str:
    """The [image] table as an image carries it."""
    return json.dumps(plain(image), ensure_ascii=False)


def own(text: str, path: str, ignore: str, settings: BuildSettings) -> Recipe:
    """The recipe of a user's own Dockerfile: built as it is, with the whole folder.

    What it copies is not part of the hash: reading a whole folder at every launch would be slow, and the engine
    compares the content anyway when it builds.
    """
    spec = spec_hash([text], {".dockerignore": ignore.encode()})
    return Recipe(dockerfile=text, path=path, spec=spec, environment=settings.environment)


def spec_hash(instructions: Sequence[str], files: Mapping[str, bytes], hashed: Mapping[str, str] | None = None) -> str:
    """One hash of all that makes an image. ``hashed`` are files of which the SHA-256 is known."""
    digests = {path: sha256_hex(content) for path, content in files.items()} | dict(hashed or {})
    text = json.dumps([list(instructions), digests], sort_keys=True, ensure_ascii=True)
    return sha256_hex(text.encode())


def resolve_base(name: str, known: Sequence[BaseView]) -> str:
    """The image reference of a base: of the server's catalogue, or as it is written."""
    base = catalogued(name, known)
    if base is not None:
        return base.reference
    if any(sign in name for sign in "/:@"):
        return name
    near = nearest(name, [base.name for base in known])
    listed = ", ".join(base.name for base in known) or "none"
    raise Ds01Error(
        BAD_PROJECT_FILE,
        f"This server has no base '{name}'.",
        reason=f"Did you mean '{near}'?" if near else f"Its bases: {listed}.",
        hint=f'Write  base = "{near or "minimal"}"  under [image], or a whole reference such as python:3.12-slim.',
    )


def unknown_base(name: str, known: Sequence[BaseView]) -> str:
    """What is wrong with the name of a base, for who has the place of it; ``""`` when nothing is."""
    try:
        resolve_base(name, known)
    except Ds01Error as error:
        message, reason = error.problem.message, error.problem.reason
        return f"{message[0].lower()}{message[1:-1]}; {reason[0].lower()}{reason[1:]}"
    return ""


def catalogued(name: str, known: Sequence[BaseView]) -> BaseView | None:
    """The server's base of this name or reference."""
    return next((base for base in known if name in (base.name, base.reference)), None)
