"""The limits file a development stack starts with: what this machine has, and what its network needs.

Written once; afterwards it is the developer's to edit. A machine behind a proxy, a mirror or a certificate
authority of its own hands these on to every image and build, as a lab's admin would set them.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from dev.base import LOCAL_CERTIFICATES, host_certificates

_SAYS_SO = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_HANDED_ON = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL",
              "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX")  # fmt: skip


GPUS = ("a100-40gb",) * 4
"""What is simulated where nothing else is asked for."""


def write(path: Path, pool: str, gpus: Sequence[str] = GPUS) -> None:
    """Write the file unless there is one. ``pool`` is where this stack's networks get their addresses; ``gpus`` are
    simulated where there are no real ones.
    """
    if not path.exists():
        path.write_text("\n".join([*_limits(gpus), *_images(), "docker:", f"  networks: {pool}"]) + "\n")


def _limits(gpus: Sequence[str]) -> Iterator[str]:
    cpus = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2
    yield "# The limits of this development stack. ds01d reads it again when it changes."
    yield "# Every key: docs/reference/limits.md; what is in force for you and why: ds01 limits"
    yield "defaults:"
    yield f"  cpus: {min(8, cpus)}"
    yield f"  memory: {max(512, memory // 4)}M"
    yield f"  shm: {max(64, memory // 16)}M"
    yield "  containers: 5"
    yield "  gpus: {max: 3, per_container: 2}"
    yield "groups:"
    yield '  student: {members: ["*"]}'
    yield "  admin: {unix_groups: [ds01-admin], admin: true, gpus: {max: null, per_container: null}, containers: null}"
    yield "gpus:"
    yield "  source: auto    # the real ones, or if there are none the simulated ones below"
    yield f"  simulated: {json.dumps(gpus)}"


def _images() -> Iterator[str]:
    certificates = _own_certificates()
    environment = {name: os.environ[name] for name in _HANDED_ON if _useful(os.environ.get(name, ""))}
    if not certificates and not environment:
        return
    yield "images:"
    if certificates:
        yield f"  ca: {certificates}"
    if environment:
        yield "  build_env:"
        yield from (f'    {name}: "{value}"' for name, value in environment.items())


def _useful(value: str) -> bool:
    """Whether a setting can be true in a container too: not a folder of this machine, not the machine itself."""
    return bool(value) and not value.startswith("file:") and "localhost" not in value and "127.0.0.1" not in value


def _own_certificates() -> str:
    """The bundle to hand on, when this machine trusts more than its distribution does."""
    bundle = host_certificates()
    wanted = any(name in os.environ for name in _SAYS_SO) or any(Path(LOCAL_CERTIFICATES).glob("*.crt")) or _pip_says()
    return str(bundle) if wanted and bundle.exists() else ""


def _pip_says() -> bool:
    done = subprocess.run(["python3", "-m", "pip", "config", "get", "global.cert"], capture_output=True, check=False)
    return done.returncode == 0 and bool(done.stdout.strip())
