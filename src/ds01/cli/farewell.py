"""Before a container goes: what would be lost, and what its owner wants to keep of it.

Used by ``retire`` and by ``launch --recreate``. Nothing is refused and nothing is lost unseen. Without questions
(``--yes``) packages are noted as suggestions in the workspace and files are left to go, and it says so.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ds01.cli import show
from ds01.cli.table import pairs
from ds01.cli.talk import Talk
from ds01.domain import suggestions
from ds01.domain.errors import Ds01Error
from ds01.domain.record import record
from ds01.wire.containers import PackageView, RetirePreview

TYPE_CHECKING = False  # the project file is read only where packages are kept
if TYPE_CHECKING:
    from ds01.projects.edit import Edit

SHOWN_FILES = 10


@record
class Keep:
    """What to keep: ``packages`` in the project file, ``files`` in the workspace."""

    packages: bool = False
    files: bool = False


def show_preview(talk: Talk, preview: RetirePreview, *, owner: str = "") -> None:
    """What ends, goes and stays. ``owner`` is whose it is when it is somebody else's."""
    container = preview.container
    rows = []
    if preview.processes:
        ended = show.names(map(show.command, preview.processes))
        rows.append(("Ends", f"{show.count(len(preview.processes), 'program')}: {ended}"))
    if container.gpus:
        rows.append(("Frees", show.which_gpus(container.gpus)))
    if preview.files_total:
        rows.append(
            (talk.err("red", "Goes"), f"{show.count(preview.files_total, 'changed file')} outside the workspace:")
        )
        rows += [("", path) for path in preview.files[:SHOWN_FILES]]
        more = preview.files_total - min(len(preview.files), SHOWN_FILES)
        rows += [("", f"and {more} more")] if more else []
    rows.append((talk.err("green", "Stays"), stays(preview, owner)))
    if preview.packages:
        rows.append(("Packages", f"installed by hand: {show.names(map(_told, _wanted(preview)), most=8)}"))
    talk.title(f"{container.name} is {container.state}")
    for line in [*pairs(rows, talk.err), ""]:
        talk.say_line(line)


def stays(preview: RetirePreview, owner: str = "") -> str:
    """What retiring never touches."""
    whose = f"{owner}'s" if owner else "your"
    return f"{whose} files in {preview.workspace}, and the image" if preview.workspace else "the image"


def decide(talk: Talk, preview: RetirePreview, asked: Keep, *, question: str, owner: str = "") -> Keep | None:
    """Ask what to keep and whether to go on; None when not. Another's project file is hers to change."""
    packages, files = asked.packages, asked.files
    if not talk.yes:
        if _wanted(preview) and not packages and _may_be_written(preview, owner):
            for line in _foreseen(preview):
                talk.say(f"  {line}")
            packages = talk.confirm(
                "Write these packages into the project file?", default=True, flag="--keep-packages and --yes"
            )  # fmt: skip
        if preview.files_total and not files and preview.workspace:
            files = talk.confirm(
                "Copy the changed files into the workspace first?", default=False, flag="--rescue and --yes"
            )
    if not talk.confirm(question, default=files or not preview.files_total):
        return None
    return Keep(packages=packages, files=files and preview.files_total > 0)


def _may_be_written(preview: RetirePreview, owner: str) -> bool:
    """Whether keeping packages in the project file would have an effect, and is for the one who retires to say."""
    return bool(preview.workspace) and not owner and not _own_dockerfile(preview.workspace)


def keep_packages(preview: RetirePreview, keep: Keep, *, owner: str = "") -> str:
    """Write the packages where they were wanted; says where, ``""`` when there are none."""
    wanted = _wanted(preview)
    if wanted and owner:
        return f"noted in {owner}'s 'ds01 why'; her workspace was not touched"
    if not wanted or not preview.workspace:
        return ""
    if keep.packages and not _own_dockerfile(preview.workspace):
        try:
            return _into_project(preview, wanted)
        except Ds01Error as error:
            return f"{error} {_suggest(preview.workspace, wanted)}"
    return _suggest(preview.workspace, wanted)


def _wanted(preview: RetirePreview) -> list[PackageView]:
    """What somebody asked for; what came along as a dependency comes along again."""
    return [package for package in preview.packages if package.requested]


def _own_dockerfile(workspace: str) -> str:
    """The Dockerfile of the user's own that alone says what is in the image of this project."""
    from ds01.projects import file, prepare

    try:
        return prepare.own_dockerfile(file.load(workspace))
    except Ds01Error:
        return ""


def _foreseen(preview: RetirePreview) -> tuple[str, ...]:
    """What keeping them would change in the project file; nothing when that cannot be changed."""
    try:
        return ("The project file would change:", *_edit(preview.workspace, _wanted(preview)).changes)
    except Ds01Error:
        return ()


def _edit(workspace: str, wanted: Sequence[PackageView]) -> Edit:
    from ds01.projects.edit import plan

    listed = [package for package in wanted if package.source in ("pip", "apt") and suggestions.installs(package)]
    return plan(
        workspace,
        add=[suggestions.installs(package) for package in listed if package.source == "pip"],
        add_apt=[package.name for package in listed if package.source == "apt"],
    )


def _into_project(preview: RetirePreview, wanted: Sequence[PackageView]) -> str:
    change = _edit(preview.workspace, wanted)
    change.save()
    rest = [package for package in wanted if package.source not in ("pip", "apt") or not suggestions.installs(package)]
    if not change.changes:
        return _suggest(preview.workspace, rest) if rest else "The project file has them already."
    told = f"{show.names(change.changes, most=8)} written into the project file; the next build has them."
    return f"{told} {_suggest(preview.workspace, rest)}" if rest else told


def _suggest(workspace: str, packages: Sequence[PackageView]) -> str:
    """Note them in the workspace, each once, and say how they become part of the image."""
    from ds01.projects import plainfile

    path = os.path.join(workspace, suggestions.FILE)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        before = plainfile.read(path).splitlines() if os.path.lexists(path) else []
        lines = [*before, *suggestions.missing(before, map(suggestions.line, packages))]
        plainfile.replace(path, "\n".join(lines) + "\n")
    except (OSError, Ds01Error) as error:
        return f"They could not be noted in {path}: {error}"
    named = show.names([package.name for package in packages], most=8)
    return f"{named} noted in {path}{_taken_up(workspace, [each for each in packages if suggestions.installs(each)])}"


def _taken_up(workspace: str, packages: Sequence[PackageView]) -> str:
    """How what was noted comes into the image; what came from a folder, or with the base, does not."""
    from ds01.projects import dockerfile_lines

    if not packages:
        return ", for you to read: no image can be built from that."
    own = _own_dockerfile(workspace)
    if not own:
        return "; ds01 image update --add takes them up."
    wanted = dockerfile_lines.lines(
        python=[suggestions.installs(package) for package in packages if package.source != "apt"],
        apt=[package.name for package in packages if package.source == "apt"],
    )
    return f"; the image is built from your own {own}, so write there: {'; '.join(wanted)}"


def _told(package: PackageView) -> str:
    before = f"{package.before} → " if package.before else ""
    return f"{package.name} {before}{package.version}".strip()
