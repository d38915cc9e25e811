"""A container's final configuration as the engine's JSON.

What is fixed for every container DS01 creates is here and nowhere else: no capability, no new privilege, the default
seccomp profile, an init as PID 1, no restart by the engine, bounded logs.
"""

from __future__ import annotations

from typing import Any

from ds01.domain.confinement import Amounts
from ds01.domain.container import Attachment, ContainerSpec, Device, DeviceRequest, Mount
from ds01.domain.devices import grantable
from ds01.domain.dockerpolicy.logs import DEFAULT as LOG
from ds01.domain.health import slowed
from ds01.domain.publish import LOOPBACK
from ds01.ports.engine import NetworkSpec

Json = dict[str, Any]


_NAMELESS = ("", "bridge", "default", "host", "none")


def create_body(spec: ContainerSpec) -> Json:
    """The body of ``POST /containers/create``."""
    environment = {**spec.environment, **spec.attachment.environment}
    return {
        "Image": spec.image,
        "Entrypoint": list(spec.command),
        "Cmd": [],
        "User": spec.user,
        "Hostname": spec.hostname,
        "WorkingDir": spec.working_dir,
        "Env": [f"{key}={value}" for key, value in environment.items()],
        "Labels": spec.labels,
        "StopTimeout": spec.stop_grace_seconds,
        **({"Healthcheck": looked} if (looked := slowed(spec.health)) else {}),
        "HostConfig": _host(spec),
        **_called(spec.network, [spec.hostname]),
    }


def recreate_body(known: Json, *, image: str, attachment: Attachment, labels: dict[str, str]) -> Json:
    """A create body from what ``inspect`` tells of another container, with these things replaced."""
    config, host = known["Config"], known["HostConfig"]
    environment = dict(entry.partition("=")[::2] for entry in config.get("Env") or ())
    return {
        **config,
        "Image": image,
        "Env": [f"{key}={value}" for key, value in {**environment, **attachment.environment}.items()],
        "Labels": {**(config.get("Labels") or {}), **labels},
        "HostConfig": {**host, **_gpus_again(host, attachment), "Mounts": _mounts_again(known, attachment)},
        **_called(host["NetworkMode"], _names(known, host["NetworkMode"])),
    }


def _called(network: str, names: list[str]) -> Json:
    """Its plain names for the other containers of its network; the engine's own networks have no names."""
    if network in _NAMELESS or network.startswith("container:"):
        return {}
    return {"NetworkingConfig": {"EndpointsConfig": {network: {"Aliases": names}}}}


def _names(known: Json, network: str) -> list[str]:
    """What it is called there, without the short id that the engine adds."""
    found = (known.get("NetworkSettings") or {}).get("Networks", {}).get(network) or {}
    return [name for name in found.get("Aliases") or () if name != known["Id"][:12]]


def update_body(amounts: Amounts, *, stays_down: bool) -> Json:
    """The body of ``POST /containers/{id}/update``. A field with 0 would be left as it is."""
    return {
        "NanoCpus": int(amounts.cpus * 1_000_000_000),
        "Memory": amounts.memory_bytes,
        "MemorySwap": amounts.memory_bytes + amounts.swap_bytes,
        "PidsLimit": amounts.pids,
        **({"RestartPolicy": {"Name": "no"}} if stays_down else {}),
    }


def network_body(spec: NetworkSpec) -> Json:
    """The body of ``POST /networks/create``."""
    given = {"Gateway": spec.gateway, "IPRange": spec.ip_range, "AuxiliaryAddresses": spec.reserved}
    return {
        "Name": spec.name,
        "Driver": "bridge",
        "CheckDuplicate": True,
        "Internal": spec.internal,
        "Labels": spec.labels,
        "Options": {**spec.options, "com.docker.network.bridge.host_binding_ipv4": LOOPBACK},
        "IPAM": {"Config": [{"Subnet": spec.range, **{key: value for key, value in given.items() if value}}]},
    }


def _mounts_again(known: Json, attachment: Attachment) -> list[Json]:
    """The mounts there were, those of the attachment, and the volumes that got a name only when they were made."""
    given = [_mount(mount) for mount in attachment.mounts]
    replaced = {mount["Target"] for mount in given}
    kept = [mount for mount in known["HostConfig"].get("Mounts") or () if mount["Target"] not in replaced]
    told = replaced | {mount["Target"] for mount in kept}
    told |= {bind.split(":")[1] for bind in known["HostConfig"].get("Binds") or ()}
    volumes = [
        {"Type": "volume", "Source": mount["Name"], "Target": mount["Destination"]}
        for mount in known.get("Mounts") or ()
        if mount["Type"] == "volume" and mount["Destination"] not in told
    ]
    return [*kept, *given, *volumes]


def _host(spec: ContainerSpec) -> Json:
    return {
        "Init": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "RestartPolicy": {"Name": "no"},
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "LogConfig": LOG,
        "NetworkMode": spec.network,
        "CgroupParent": spec.cgroup_parent,
        "GroupAdd": [str(gid) for gid in spec.group_add],
        "Mounts": [_mount(mount) for mount in (*spec.mounts, *spec.attachment.mounts)],
        **_gpus(spec.attachment),
        **_resources(spec),
    }


def _gpus(attachment: Attachment) -> Json:
    return {
        "Devices": [_device(device) for device in attachment.devices],
        "DeviceRequests": [_request(request) for request in attachment.requests],
    }


def _gpus_again(host: Json, attachment: Attachment) -> Json:
    """The GPUs of the attachment instead of those there were; what else was given by a limit stays."""
    given = _gpus(attachment)
    kept = [device for device in host.get("Devices") or () if grantable(device["PathOnHost"])]
    return {**given, "Devices": [*given["Devices"], *kept]}


def _resources(spec: ContainerSpec) -> Json:
    """``MemorySwap`` is memory and swap together in the engine's words."""
    limits = spec.resources
    return {
        "NanoCpus": int(limits.cpus * 1_000_000_000),
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes + limits.swap_bytes,
        "ShmSize": limits.shm_bytes,
        "PidsLimit": limits.pids,
    }


def _mount(mount: Mount) -> Json:
    return {
        "Type": "bind",
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
        "BindOptions": {"Propagation": "rprivate"},
    }


def _device(device: Device) -> Json:
    return {
        "PathOnHost": device.host,
        "PathInContainer": device.inside,
        "CgroupPermissions": device.permissions,
    }


def _request(request: DeviceRequest) -> Json:
    """A CDI request names whole devices; capabilities belong to the NVIDIA driver's requests."""
    capabilities = [] if request.driver == "cdi" else [list(request.capabilities)]
    return {"Driver": request.driver, "DeviceIDs": list(request.ids), "Capabilities": capabilities}
