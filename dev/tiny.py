"""A base of two megabytes for tests: busybox and nothing else, imported in a tenth of a second."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

REFERENCE = "ds01/tiny:latest"
_FOLDERS = ("bin", "etc", "root", "tmp", "usr", "usr/bin", "var", "workspace")
_ACCOUNTS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"


def install(engine: str, reference: str = REFERENCE) -> str:
    """Import busybox with all its names into the engine on this socket; returns the image id."""
    command = [
        "docker",
        "-H",
        f"unix://{engine}",
        "import",
        "--change",
        'CMD ["sh"]',
        "--change",
        "ENV PATH=/bin:/usr/bin",
    ]
    done = subprocess.run([*command, "-", reference], input=layer(), capture_output=True, check=True)
    return done.stdout.decode().strip()


def layer() -> bytes:
    """Its only layer, a tar archive."""
    found = shutil.which("busybox")
    if found is None:
        raise RuntimeError("busybox is missing (Debian and Ubuntu: busybox-static)")
    busybox = Path(found)
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in _FOLDERS:
            tar.addfile(_entry(name, tarfile.DIRTYPE, 0o1777 if name in ("tmp", "workspace") else 0o755))
        _file(tar, "bin/busybox", busybox.read_bytes(), 0o755)
        _file(tar, "etc/passwd", _ACCOUNTS.encode(), 0o644)
        _file(tar, "etc/group", b"root:x:0:\nnogroup:x:65534:\n", 0o644)
        for name in names:
            if name != "busybox":
                tar.addfile(_entry(f"bin/{name}", tarfile.SYMTYPE, 0o777, target="busybox"))
        tar.addfile(_entry("usr/bin/env", tarfile.SYMTYPE, 0o777, target="/bin/busybox"))
    return buffer.getvalue()


def _file(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = _entry(name, tarfile.REGTYPE, mode)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _entry(name: str, kind: bytes, mode: int, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.linkname = kind, mode, target
    return entry
