"""A torch that computes on the CPU, 190 MB where the usual one is gigabytes: its wheel, fetched once and kept.

The usual index does not have it: PyTorch's own does, or a mirror that pip is set to ask. Its version is asked for by
its whole name, so that none for GPUs comes in its place.

    python -m dev.torch_cpu        fetches it, prints where it is
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from dev import base, uv

VERSION = "2.13.0+cpu"
INDEX = "https://download.pytorch.org/whl/cpu"
PYTHON = "3.11"
"""That of the ``minimal`` base."""
PLATFORM = "manylinux_2_28_x86_64"
_PATIENCE = ("--timeout", "30", "--retries", "2")


def wheel() -> Path:
    """Its file, fetched now if it never was. Raises BaseError when it cannot be."""
    folder = base.cache() / f"torch-{VERSION}-{PYTHON}"
    with base.alone(base.cache() / "torch.lock"):
        if not folder.exists():
            _fetch(folder)
    return next(folder.glob("torch-*.whl"))


def _fetch(folder: Path) -> None:
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    only = ("--no-deps", "--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp",
            "--platform", PLATFORM)  # fmt: skip
    try:
        uv.run(*uv.PIP, "download", "--quiet", "--dest", str(part), *_PATIENCE, *only, "--extra-index-url", INDEX,
               f"torch=={VERSION}")  # fmt: skip
    except base.BaseError as error:
        said = "\n".join(str(error).splitlines()[-3:])
        raise base.BaseError(
            f"torch {VERSION} was neither at {INDEX} nor where pip is set to look. Let this machine reach one that has"
            f" it. What pip said last:\n{said}"
        ) from error
    part.rename(folder)


def main() -> int:
    """Fetch it, and say where it is."""
    try:
        print(wheel())
    except base.BaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
