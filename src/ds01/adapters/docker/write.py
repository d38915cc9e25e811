"""A container's final configuration as the engine's JSON.

What is fixed for every container DS01 creates is here and nowhere else: no capability, no new privilege, the default
seccomp profile, an init as PID 1, no restart by the engine, bounded logs.
"""

from __future__ import annotations

from typing import Any

from ds01.domain.container import ContainerSpec, Device, DeviceRequest, Mount

Json = dict[str, Any]
LOG = {"Type": "json-file", "Config": {"max-size": "16m", "max-file": "2"}}


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
        "HostConfig": _host(spec),
    }


def _host(spec: ContainerSpec) -> Json:
    return {
        "Init": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true"],
        "RestartPolicy": {"Name": "no"},
        "IpcMode": "private",
        "LogConfig": LOG,
        "NetworkMode": spec.network,
        "CgroupParent": spec.cgroup_parent,
        "GroupAdd": [str(gid) for gid in spec.group_add],
        "Mounts": [_mount(mount) for mount in (*spec.mounts, *spec.attachment.mounts)],
        "Devices": [_device(device) for device in spec.attachment.devices],
        "DeviceRequests": [_request(request) for request in spec.attachment.requests],
        **_resources(spec),
    }


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
