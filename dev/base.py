"""The ``minimal`` base for development: its tar file is made once and kept, named by a hash of its recipe.

python -m dev.base --engine /var/run/docker.sock
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ds01.install import minimal
from ds01.install.minimal import (
    CERTIFICATES,
    KEYRING,
    LEFT_OUT,
    LOCAL_CERTIFICATES,
    MIRROR,
    REFERENCE,
    BaseError,
    bootstrap,
    host_certificates,
)

__all__ = [
    "CERTIFICATES",
    "KEYRING",
    "LEFT_OUT",
    "LOCAL_CERTIFICATES",
    "MIRROR",
    "REFERENCE",
    "BaseError",
    "bootstrap",
    "host_certificates",
]


def install(engine: str, *, say: bool = True) -> str:
    """Put the base into the engine on this socket unless it is there already; returns its image id."""
    if found := minimal.current(engine):
        return found
    archive = kept(say=say)
    began = time.monotonic()
    image = minimal.install(engine, archive)
    if say:
        _say(f"the base {REFERENCE} is in the engine ({time.monotonic() - began:.0f} s)")
    return image


def kept(*, say: bool = True) -> Path:
    """The tar file of the root file system, made now if this recipe was never made here."""
    folder = cache()
    archive = folder / f"minimal-{minimal.recipe()}.tar"
    with alone(folder / "minimal.lock"):
        if not archive.exists():
            if say:
                _say("making the base (Debian and Python; once on this machine, about a minute)")
            minimal.make(archive)
    return archive


def cache() -> Path:
    """Where things that are costly to make are kept between runs."""
    if "DS01_CACHE" in os.environ:
        folder = Path(os.environ["DS01_CACHE"])
    else:
        folder = Path("/var/cache/ds01") if os.geteuid() == 0 else Path.home() / ".cache/ds01"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time: two set-ups at once make the base once."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Install the base into an engine, or only make sure that its archive is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--engine", metavar="SOCKET", help="the engine's unix socket; without it, make the archive only"
    )
    options = parser.parse_args()
    try:
        print(install(options.engine) if options.engine else kept())
    except BaseError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
