"""``ds01 image diff``: which packages changed from one build to another."""

from __future__ import annotations

from ds01.cli import builds, show
from ds01.cli.call import Call
from ds01.cli.style import Style
from ds01.domain.errors import NO_IMAGE, Ds01Error
from ds01.projects import inside
from ds01.wire.images import BuildDifference, ImageView, PackageChange

_SIGNS = {"+": "green", "-": "red", "~": "yellow"}


def run(call: Call, *, first: str | None, second: str | None) -> int:
    """Look into both and compare."""
    project, before, after = _two(call, first, second)
    with call.talk.step("Looking into the images"):
        changes = inside.difference(builds.packages(call, before), builds.packages(call, after))
    found = BuildDifference(before=_called(before), after=_called(after), changes=changes)
    if call.talk.json:
        call.talk.emit(found)
        return 0
    call.talk.title(f"From {found.before} ({show.ago(before.created_at)} ago) to {found.after}")
    for change in changes:
        call.talk.data(_line(change, call.talk.out))
    if not changes:
        call.talk.say("The same packages are in both.")
    call.talk.next(f"ds01 image rollback {project}", f"ds01 image history {project}")
    return 0


def _two(call: Call, first: str | None, second: str | None) -> tuple[str, ImageView, ImageView]:
    """The two that are meant: what is named, or a project's image and the build before it."""
    project, one = builds.meant(call, builds.name_of(call, first))
    if second is not None:
        return project, one, _second(call, project, second)
    before = builds.before(builds.builds(call, project), one)
    if before is None:
        raise Ds01Error(
            NO_IMAGE, f"{project} has no build before {builds.title(one)}.", hint=f"ds01 image history {project}"
        )
    return project, before, one


def _second(call: Call, project: str, words: str) -> ImageView:
    """Another project's, or a build of the same."""
    found = builds.builds(call, project)
    if ":" not in words and any(builds.title(image).startswith(words) for image in found):
        return builds.one(found, project, words)
    return builds.meant(call, words)[1]


def _called(image: ImageView) -> str:
    return f"{image.project}:{builds.title(image)}"


def _line(change: PackageChange, style: Style) -> str:
    sign = "+" if not change.before else "-" if not change.after else "~"
    versions = " → ".join(version for version in (change.before, change.after) if version)
    kind = "" if change.source == "python" else f" ({change.source})"
    return f"{style(_SIGNS[sign], sign)} {change.name} {versions}{kind}"
