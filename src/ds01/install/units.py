"""The units of systemd: DS01's own, and what is added to those of the engine.

ds01d mounts users' folders where the engine finds them. So it has no mount namespace of its own, and nothing that
would make one (``ProtectSystem=``, ``PrivateTmp=``): its mounts would not be seen outside. The gateway needs the
sockets below ``/run/ds01`` and nothing else of the machine.

Only DS01's own units name its version: a new one starts them anew, and never the engine.
"""

from __future__ import annotations

from ds01.install import paths
from ds01.install.machine import Package
from ds01.install.paths import DOCKER, ENGINE, GATEWAY, GUARD, RUN, STATE, SYSTEMD, USUAL
from ds01.watchdog import SECONDS

PATH = f"{GUARD}:{paths.PATH}"
DOCKER_SOCKET = f"{SYSTEMD}/docker.socket.d/ds01.conf"
DOCKER_SERVICE = f"{SYSTEMD}/docker.service.d/ds01.conf"
CONTAINERD_SERVICE = f"{SYSTEMD}/containerd.service.d/ds01.conf"
DOORS = 4096
"""Sockets of users' containers that systemd keeps over a restart of the gateway: one for each user."""

MEMORY = "4G"
"""Twenty times what either program needs on a large server: whoever makes it grow ends it, and not the others' work."""

_WRITTEN = "# Written by ds01 install. Changes of yours: systemctl edit"


def ds01d(package: Package) -> str:
    """The daemon."""
    return f"""\
{_WRITTEN} ds01d   (DS01 {package.version})
[Unit]
Description=DS01, which decides who gets what of this GPU server
After=docker.service nss-user-lookup.target
Wants=docker.service
RequiresMountsFor={STATE} {package.bin}
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={package.bin}/ds01d --engine unix://{ENGINE} --gateway-socket {USUAL} --gateway-uid {GATEWAY}
Restart=always
RestartSec=500ms
TimeoutStopSec=30s
WatchdogSec={SECONDS}s
MemoryMax={MEMORY}
LimitNOFILE=65536
UMask=0022
OOMScoreAdjust=-500
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
KeyringMode=private

[Install]
WantedBy=multi-user.target
"""


def gateway_socket() -> str:
    """The socket every client finds. systemd holds it: while the gateway restarts, connections wait."""
    return f"""\
{_WRITTEN} ds01-gateway.socket
[Unit]
Description=The Docker socket of this server, which DS01 answers

[Socket]
ListenStream={USUAL}
SocketMode=0660
SocketUser=root
SocketGroup={DOCKER}
Backlog=4096

[Install]
WantedBy=sockets.target
"""


def gateway(package: Package) -> str:
    """The gateway. It begins as root, for the socket of the way past it, and becomes its own account for good."""
    return f"""\
{_WRITTEN} ds01-gateway   (DS01 {package.version})
[Unit]
Description=DS01's gateway: the Docker API, as each user may see it
Requires=ds01-gateway.socket
After=ds01-gateway.socket docker.socket ds01d.service
Wants=docker.socket ds01d.service
RequiresMountsFor={package.bin}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={package.bin}/ds01-gateway --engine unix://{ENGINE} --user {GATEWAY}
Restart=always
RestartSec=100ms
TimeoutStopSec=15s
WatchdogSec={SECONDS}s
MemoryMax={MEMORY}
FileDescriptorStoreMax={DOORS}
LimitNOFILE=65536
OOMScoreAdjust=-500
CapabilityBoundingSet=CAP_SETUID CAP_SETGID
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={RUN}
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateNetwork=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=multi-user.target
"""


def docker_socket() -> str:
    """The engine's socket moves to where root and the gateway are alone. An upgrade of its package leaves this be."""
    return f"""\
# Written by ds01 install: users meet DS01's gateway on {USUAL}, the engine listens here.
[Socket]
ListenStream=
ListenStream={ENGINE}
SocketMode=0660
SocketUser=root
SocketGroup={GATEWAY}
"""


def guarded() -> str:
    """For the engine and for containerd: whatever looks for runc finds the guard, and it is there when they start."""
    return f"""\
# Written by ds01 install: ds01-runc stands before runc.
[Unit]
RequiresMountsFor={GUARD}

[Service]
Environment=PATH={PATH}
"""
