"""The project file in the user's own editor: on a draft, so that a mistake or a failed build costs no word of hers.

What cannot be read as a project is never written: she is told what is wrong and where, and edits on. The draft stays
until an image is built from it.
"""

from __future__ import annotations

import os
import shlex
import subprocess

from ds01.cli.call import Call
from ds01.domain.errors import BAD_REQUEST, NEEDS_ANSWER, Ds01Error
from ds01.domain.project import Project
from ds01.projects import edit, file, plainfile
from ds01.projects.edit import Edit

FOLDER = ".ds01"


def draft_path(project: Project) -> str:
    """Where the draft is."""
    return os.path.join(project.folder, FOLDER, "draft-" + os.path.basename(file.read(project.folder).path))


def edited(call: Call, project: Project) -> Edit:
    """Let her edit until it is a project. Raises Ds01Error when she gives up, or when nobody is there."""
    if not call.talk.somebody_there:
        raise Ds01Error(
            NEEDS_ANSWER, "--edit opens an editor, and there is no terminal.",
            reason="Edit the file as you like instead.", hint=f"ds01 image update {project.name} --rebuild",
        )  # fmt: skip
    path = _draft(call, project)
    while True:
        _editor(path)
        try:
            return edit.rewritten(project.folder, plainfile.read(path))
        except Ds01Error as error:
            call.talk.warn(" ".join(part for part in (str(error), error.problem.reason) if part))
            if not call.talk.confirm("Go on editing?", default=True):
                call.standing = f"The project file is as it was; your text is in {path}."
                raise


def dismiss(project: Project) -> None:
    """The draft has become the project file."""
    path = draft_path(project)
    if os.path.lexists(path):
        os.unlink(path)


def _draft(call: Call, project: Project) -> str:
    path, text = draft_path(project), file.read(project.folder).text
    begun = os.path.lexists(path) and plainfile.read(path) != text
    if begun and call.talk.confirm("There is a draft of yours that was not built. Go on with it?", default=True):
        return path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    plainfile.replace(path, text)
    return path


def _editor(path: str) -> None:
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "nano"
    try:
        ended = subprocess.run([*shlex.split(command), path], check=False).returncode
    except (OSError, ValueError) as error:
        raise Ds01Error(
            BAD_REQUEST, f"The editor '{command}' could not be started.", reason=str(error),
            hint="Say which one you use, for example: export EDITOR=vim",
        ) from error  # fmt: skip
    if ended != 0:
        raise Ds01Error(BAD_REQUEST, f"The editor '{command}' ended with {ended}: nothing was changed.")
