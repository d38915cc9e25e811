"""Where an installed DS01 is. The programs have the same places as their defaults."""

from __future__ import annotations

STATE = "/var/lib/ds01"
RUN = "/run/ds01"
ETC = "/etc/ds01"
LIMITS = f"{ETC}/limits.yaml"
GUARD = f"{STATE}/guard"
MANIFEST = f"{STATE}/installed.json"

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked for, whatever the shell says that root types in: nobody else writes there."""

USUAL = "/run/docker.sock"
"""Where every Docker client looks; ``/var/run`` is the same folder."""
ENGINE = f"{RUN}/engine/docker.sock"
"""Where the engine listens once the gateway has the usual place."""
API = f"{RUN}/ds01d.sock"

DAEMON_JSON = "/etc/docker/daemon.json"
SYSTEMD = "/etc/systemd/system"
PROGRAMS = "/usr/local/bin"

GATEWAY = "ds01-gateway"
"""The account of the gateway, and the group that opens the engine's socket."""
ADMINS = "ds01-admin"
DOCKER = "docker"
"""Who is in this group may connect to the gateway; it opens nothing else any more."""
UNITS = ("ds01d.service", "ds01-gateway.socket", "ds01-gateway.service")
