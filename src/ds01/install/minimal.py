"""The ``minimal`` base, ``ds01/minimal:latest``: Debian and Python, made on this server without any registry.

mmdebstrap makes the root file system as a tar file, the engine gets it by ``docker import`` in a few seconds. What only
this machine knows, its bundle of trusted certificates, is added on the way in, so that the tar file is the same
everywhere and may come from another server.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from ds01.domain.settings import MINIMAL

REFERENCE = MINIMAL.reference
RECIPE_LABEL = "ds01.base.recipe"
SUITE = "bookworm"
MIRROR = os.environ.get("DS01_DEBIAN_MIRROR", "http://deb.debian.org/debian")
PACKAGES = ("bash", "ca-certificates", "git", "less", "procps", "python3", "python3-pip", "python3-venv")
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/lintian/*")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
LOCAL_CERTIFICATES = "/usr/local/share/ca-certificates"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SETTINGS = (
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "ENV LANG=C.UTF-8",
    'CMD ["bash"]',
)


class BaseError(Exception):
    """The base cannot be made; the message is a sentence."""


def install(engine: str, archive: Path) -> str:
    """Put the base in this tar file into the engine on this socket; returns its image id."""
    return _import(engine, archive, fingerprint())


def current(engine: str) -> str:
    """The id of the base in the engine, when it is the one that would be made now; else empty."""
    found = _labelled(engine)
    return found[0] if found is not None and found[1] == fingerprint() else ""


def make(archive: Path) -> None:
    """Make the tar file beside its place and move it there whole. Takes a minute, and a Debian mirror."""
    part = archive.with_suffix(".part")
    bootstrap(_command(part), part, "the base")
    part.rename(archive)


def host_certificates() -> Path:
    """The certificates this machine trusts."""
    return Path(os.environ.get("SSL_CERT_FILE", CERTIFICATES))


def _command(archive: Path) -> list[str]:
    sources = [f"deb [signed-by={KEYRING}] {MIRROR} {suite} main" for suite in (SUITE, f"{SUITE}-updates")]
    sources.append(f"deb [signed-by={KEYRING}] {MIRROR}-security {SUITE}-security main")
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    return [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}",
        "--dpkgopt=force-unsafe-io", *options, f'--customize-hook=rm "$1{CERTIFICATES}"',
        "--format=tar", SUITE, str(archive), *sources,
    ]  # fmt: skip


def bootstrap(command: list[str], part: Path, what: str) -> None:
    """Run mmdebstrap, which makes ``part``. The environment is clean: it would end up inside."""
    environment = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    environment |= {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        subprocess.run(["rm", "-rf", "--one-file-system", str(part)], check=False)
        why = (made.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BaseError(f"mmdebstrap could not make {what} from {MIRROR}: {why}")


def recipe() -> str:
    return hashlib.sha256("\n".join(_command(Path("archive"))).encode()).hexdigest()[:16]


def fingerprint() -> str:
    """What an imported base must carry to be the one we would import now."""
    parts = [recipe().encode(), "\n".join(SETTINGS).encode()]
    for name, content in _certificates().items():
        parts += [name.encode(), content]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _certificates() -> dict[str, bytes]:
    """The bundle, and the machine's own additions, so that update-ca-certificates in an image keeps them."""
    bundle = host_certificates()
    found = {CERTIFICATES: bundle.read_bytes() if bundle.exists() else b""}
    return found | {str(path): path.read_bytes() for path in sorted(Path(LOCAL_CERTIFICATES).glob("*.crt"))}


def _import(engine: str, archive: Path, fingerprint: str) -> str:
    changes = [*SETTINGS, f"LABEL {RECIPE_LABEL}={fingerprint} ds01.schema=1"]
    options = [part for change in changes for part in ("--change", change)]
    command = ["docker", "-H", f"unix://{engine}", "import", *options, "-", REFERENCE]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # it has ended, and says why
        for block in _with_certificates(archive):
            process.stdin.write(block)
    out, error = process.communicate()
    if process.returncode != 0:
        raise BaseError(f"the engine did not take the base: {error.decode().strip()}")
    return out.decode().strip()


def _with_certificates(archive: Path) -> Iterator[bytes]:
    """The archive without its end, then this machine's certificates (it has none), then the end."""
    left = archive.stat().st_size
    with archive.open("rb") as file:
        left -= _padding(archive)
        while left > 0:
            block = file.read(min(left, 1 << 20))
            left -= len(block)
            yield block
    yield _tar_of(_certificates())


def _padding(archive: Path) -> int:
    """How many bytes of zero end the archive: the two blocks that say so, and filling up."""
    with archive.open("rb") as file:
        file.seek(-min(archive.stat().st_size, 64 * 1024), os.SEEK_END)
        tail = file.read()
    zeros = len(tail) - len(tail.rstrip(b"\0"))
    return zeros // 512 * 512


def _tar_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f".{name}")
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _labelled(engine: str) -> tuple[str, str] | None:
    template = f'{{{{.Id}}}} {{{{index .Config.Labels "{RECIPE_LABEL}"}}}}'
    shown = subprocess.run(
        ["docker", "-H", f"unix://{engine}", "image", "inspect", "--format", template, REFERENCE],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if shown.returncode != 0:
        return None
    identity, _, label = shown.stdout.strip().partition(" ")
    return identity, label
