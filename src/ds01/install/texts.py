"""The small files: folders at boot, the login's greeting."""

from __future__ import annotations

from ds01.install.machine import Package
from ds01.install.paths import ENGINE, GATEWAY, RUN

TMPFILES = "/etc/tmpfiles.d/ds01.conf"
PROFILE = "/etc/profile.d/ds01.sh"
COMPLETIONS = {
    "bash": "/etc/bash_completion.d/ds01",
    "zsh": "/usr/local/share/zsh/site-functions/_ds01",
    "fish": "/etc/fish/completions/ds01.fish",
}


def tmpfiles() -> str:
    """Below ``/run``, before any socket is made there: nobody but root and the gateway gets to the engine's."""
    return f"""\
# Written by ds01 install.
d {RUN} 0755 root root -
d {RUN}/engine 0750 root {GATEWAY} -
d {RUN}/u 0700 {GATEWAY} root -
"""


def profile(package: Package) -> str:
    """At login on a terminal: what happened meanwhile. Root's own docker goes past the gateway, which refuses root."""
    return f"""\
# Written by ds01 install.
if [ "$(id -u)" -eq 0 ]; then
    export DOCKER_HOST="${{DOCKER_HOST:-unix://{ENGINE}}}"
elif [ -t 1 ] && [ -x {package.bin}/ds01 ]; then
    timeout 3 {package.bin}/ds01 greet 2>/dev/null || :
fi
"""
