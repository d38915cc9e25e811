"""The whole Docker API, route by route and field by field: each is known to be served or refused, none is overlooked.

The lists are of API 1.24 to 1.51, as its reference has them, and attestations. What is in none is refused as well
(``route.unknown``, ``field.unknown``); here it is about what the engine does have.
"""

from __future__ import annotations

import pytest

from ds01.domain.dockerpolicy.config import CONFIG
from ds01.domain.dockerpolicy.create import HOST
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway.table import TABLE

SERVED = """
GET /_ping|HEAD /_ping|GET /version|GET /info|GET /events|GET /system/df|POST /auth
GET /containers/json|POST /containers/create|GET /containers/a/json|GET /containers/a/top|GET /containers/a/logs
GET /containers/a/changes|GET /containers/a/export|GET /containers/a/stats|POST /containers/a/resize
POST /containers/a/start|POST /containers/a/stop|POST /containers/a/restart|POST /containers/a/kill
POST /containers/a/update|POST /containers/a/rename|POST /containers/a/pause|POST /containers/a/unpause
POST /containers/a/attach|GET /containers/a/attach/ws|POST /containers/a/wait|DELETE /containers/a
HEAD /containers/a/archive|GET /containers/a/archive|PUT /containers/a/archive|POST /containers/prune
POST /containers/a/exec|POST /exec/EXEC/start|POST /exec/EXEC/resize|GET /exec/EXEC/json
GET /images/json|POST /build|POST /build/prune|POST /build/cancel|POST /images/create|GET /images/a/json
GET /images/a/attestations
GET /images/a/history|POST /images/a/push|POST /images/a/tag|DELETE /images/a|GET /images/search|POST /images/prune
POST /commit|GET /images/a/get|GET /images/get|POST /images/load|GET /distribution/a/json
GET /volumes|POST /volumes/create|GET /volumes/a|DELETE /volumes/a|POST /volumes/prune
GET /networks|GET /networks/a|DELETE /networks/a|POST /networks/create|POST /networks/a/connect
POST /networks/a/disconnect|POST /networks/prune|GET /plugins|POST /grpc|POST /session
"""
REFUSED = {
    "plugins": """GET /plugins/privileges|POST /plugins/pull|DELETE /plugins/a|POST /plugins/a/enable
POST /plugins/a/push|POST /plugins/a/disable|POST /plugins/a/upgrade|POST /plugins/create|POST /plugins/a/set""",
    "volumes.cluster": "PUT /volumes/a",
    "checkpoints": "GET /containers/a/checkpoints|POST /containers/a/checkpoints|DELETE /containers/a/checkpoints/x",
    "copy": "POST /containers/a/copy",
    "debug": "GET /debug/pprof/|GET /debug/vars|POST /debug/x",
}
NO_SWARM = """
GET /swarm|POST /swarm/init|POST /swarm/join|POST /swarm/leave|POST /swarm/update|GET /swarm/unlockkey
POST /swarm/unlock
GET /nodes|GET /nodes/a|DELETE /nodes/a|POST /nodes/a/update|GET /services|POST /services/create|GET /services/a
DELETE /services/a|POST /services/a/update|GET /services/a/logs|GET /tasks|GET /tasks/a|GET /tasks/a/logs
GET /secrets|POST /secrets/create|GET /secrets/a|DELETE /secrets/a|POST /secrets/a/update
GET /configs|POST /configs/create|GET /configs/a|DELETE /configs/a|POST /configs/a/update
"""
UNKNOWN = "POST /images/a/attestations|POST /images/a/squash|GET /|POST /containers/a/attach/ws|PATCH /containers/a"

CONFIG_FIELDS = """
Hostname Domainname User AttachStdin AttachStdout AttachStderr ExposedPorts Tty OpenStdin StdinOnce Env Cmd Healthcheck
ArgsEscaped Image Volumes WorkingDir Entrypoint NetworkDisabled MacAddress OnBuild Labels StopSignal StopTimeout Shell
"""
HOST_FIELDS = """
Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom ConsoleSize
Annotations CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj
PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt StorageOpt Tmpfs UTSMode UsernsMode ShmSize Sysctls
Runtime Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight BlkioWeightDevice BlkioDeviceReadBps
BlkioDeviceWriteBps
BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems
Devices DeviceCgroupRules DeviceRequests KernelMemory KernelMemoryTCP MemoryReservation MemorySwap MemorySwappiness
OomKillDisable PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth Mounts MaskedPaths ReadonlyPaths
Init Capabilities DiskQuota
"""


def routes(text: str) -> list[str]:
    return [each.replace("EXEC", "e" * 64) for line in text.split("\n") for each in line.split("|") if each]


def found(asked: str) -> str:
    """What becomes of it: the route's name, or the rule it is refused by."""
    method, _, path = asked.partition(" ")
    route, _ = TABLE.find(method, path)
    return f"refused: {route.refusal.rule}" if route.refusal else route.name


@pytest.mark.parametrize("asked", routes(SERVED))
def test_what_is_served_is_served(asked: str) -> None:
    name = found(asked)
    assert not name.startswith("refused")
    assert name not in ("absent", "swarm")


@pytest.mark.parametrize(("rule", "asked"), [(rule, each) for rule, text in REFUSED.items() for each in routes(text)])
def test_e25_e27_what_is_refused_has_its_own_sentence(rule: str, asked: str) -> None:
    assert found(asked) == f"refused: {rule}"


@pytest.mark.parametrize("asked", routes(NO_SWARM))
def test_e26_there_is_no_swarm(asked: str) -> None:
    assert found(asked) == "swarm"


@pytest.mark.parametrize("asked", routes(UNKNOWN))
def test_what_nobody_thought_of_is_refused(asked: str) -> None:
    with pytest.raises(RefusedError) as refused:
        found(asked)
    assert (refused.value.rule, refused.value.status) == ("route.unknown", 403)


def test_every_field_of_a_create_has_its_rule() -> None:
    assert set(CONFIG_FIELDS.split()) - {field.name for field in CONFIG} == set()
    assert set(HOST_FIELDS.split()) - {field.name for field in HOST} == set()
