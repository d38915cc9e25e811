"""``ds01 admin image minimal``: the base that projects begin with, made here."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from ds01.cli.call import Call
from ds01.cli.onserver import only_root
from ds01.domain.errors import BAD_REQUEST, BUILD_FAILED, NO_FILE, Ds01Error

PACKAGES = {"docker": "docker.io", "mmdebstrap": "mmdebstrap debian-archive-keyring"}
"""The programs it needs, and where Debian has them."""


def run(call: Call, *, from_: str | None, keep: str | None, engine: str | None) -> int:
    """Make it, or take it as it was made, and give it to the engine."""
    from ds01.install import minimal
    from ds01.install.paths import ENGINE

    if from_ and keep:
        raise Ds01Error(BAD_REQUEST, "--from and --keep are for two servers.", hint="ds01 admin image minimal --help")
    if from_ and not os.path.isfile(from_):
        raise Ds01Error(NO_FILE, f"There is no file {from_}.", hint="ds01 admin image minimal --keep FILE makes one.")
    if keep and os.path.lexists(keep):
        raise _there(keep)
    only_root("make the base", hint="sudo ds01 admin image minimal")
    _programs(("docker",) if from_ else tuple(PACKAGES))
    socket, talk = engine or ENGINE, call.talk
    if talk.dry_run:
        talk.say(f"{minimal.REFERENCE} would be made. Here now: {minimal.current(socket) or 'none like it'}.")
        return 0
    call.standing = "The base is as it was before."
    try:
        with tempfile.TemporaryDirectory(prefix="ds01-minimal-") as folder:
            archive = Path(from_) if from_ else _made(call, Path(folder))
            if keep:
                kept(archive, keep)
            with talk.step("giving it to the engine"):
                image = minimal.install(socket, archive)
    except minimal.BaseError as error:
        raise Ds01Error(BUILD_FAILED, f"The base was not made: {error}.", hint="ds01 doctor") from error
    talk.done(f"{minimal.REFERENCE} is here ({image.removeprefix('sha256:')[:12]}).")
    talk.next("ds01 image bases", "ds01 doctor")
    return 0


def kept(archive: Path, keep: str) -> None:
    """Keep the archive as a new file. Raises Ds01Error when something is there: a link could lead root anywhere."""
    try:
        handle = os.open(keep, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError as error:
        raise _there(keep) from error
    with archive.open("rb") as source, open(handle, "wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
        os.fchmod(file.fileno(), 0o644)


def _there(keep: str) -> Ds01Error:
    return Ds01Error(BAD_REQUEST, f"{keep} is there already.", hint="Take it away, or say another name after --keep.")


def _programs(needed: tuple[str, ...]) -> None:
    missing = [program for program in needed if shutil.which(program) is None]
    if missing:
        packages = " ".join(PACKAGES[program] for program in missing)
        raise Ds01Error(
            BUILD_FAILED, f"Not installed here: {', '.join(missing)}.", hint=f"apt-get install {packages}"
        )  # fmt: skip


def _made(call: Call, folder: Path) -> Path:
    from ds01.install import minimal

    archive = folder / "minimal.tar"
    with call.talk.step("making Debian with Python, about a minute"):
        minimal.make(archive)
    return archive
