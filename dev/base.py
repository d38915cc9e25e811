"""The ``minimal`` base, ``ds01/minimal:latest``: Debian and Python, made on this machine without any registry.

The root file system is made once by mmdebstrap and kept as a tar file, named by a hash of its recipe; an engine
gets it by ``docker import`` in a few seconds. What only this machine knows, its bundle of trusted certificates, is
added on the way in, so that the kept file stays the same everywhere.

    python -m dev.base --engine /var/run/docker.sock
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REFERENCE = "ds01/minimal:latest"
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
_END_OF_TAR = 1024


class BaseError(Exception):
    """The base cannot be made; the message is a sentence."""


def install(engine: str, *, say: bool = True) -> str:
    """Put the base into the engine on this socket unless it is there already; returns its image id."""
    wanted = _fingerprint()
    found = _labelled(engine)
    if found is not None and found[1] == wanted:
        return found[0]
    archive = kept(say=say)
    began = time.monotonic()
    image = _import(engine, archive, wanted)
    if say:
        _say(f"the base {REFERENCE} is in the engine ({time.monotonic() - began:.0f} s)")
    return image


def kept(*, say: bool = True) -> Path:
    """The tar file of the root file system, made now if this recipe was never made here."""
    folder = cache()
    archive = folder / f"minimal-{_recipe()}.tar"
    with alone(folder / "minimal.lock"):
        if not archive.exists():
            if say:
                _say("making the base (Debian and Python; once on this machine, about a minute)")
            _make(archive)
    return archive


def cache() -> Path:
    """Where things that are costly to make are kept between runs."""
    if "DS01_CACHE" in os.environ:
        folder = Path(os.environ["DS01_CACHE"])
    else:
        folder = Path("/var/cache/ds01") if os.geteuid() == 0 else Path.home() / ".cache/ds01"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


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


def _make(archive: Path) -> None:
    """Make the archive beside its place and move it there whole."""
    part = archive.with_suffix(".part")
    bootstrap(_command(part), part, "the base")
    part.rename(archive)


def bootstrap(command: list[str], part: Path, what: str) -> None:
    """Run mmdebstrap, which makes ``part``. The environment is clean: it would end up inside."""
    environment = {"PATH": "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    environment |= {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        subprocess.run(["rm", "-rf", "--one-file-system", str(part)], check=False)
        why = (made.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BaseError(f"mmdebstrap could not make {what} from {MIRROR}: {why}")


def _recipe() -> str:
    return hashlib.sha256("\n".join(_command(Path("archive"))).encode()).hexdigest()[:16]


def _fingerprint() -> str:
    """What an imported base must carry to be the one we would import now."""
    parts = [_recipe().encode(), "\n".join(SETTINGS).encode()]
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
