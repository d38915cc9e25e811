"""The body by which a container is made anew with other GPUs: what else it was given stays."""

from __future__ import annotations

from typing import Any

from ds01.adapters.docker.write import recreate_body
from ds01.domain.container import Attachment, Device, DeviceRequest


def device(host: str, inside: str, permissions: str = "rw") -> dict[str, str]:
    return {"PathOnHost": host, "PathInContainer": inside, "CgroupPermissions": permissions}


def again(attachment: Attachment, *devices: dict[str, str]) -> Any:
    known = {"Id": "1" * 64, "Config": {}, "HostConfig": {"NetworkMode": "none", "Devices": [*devices]}}
    return recreate_body(known, image="layer", attachment=attachment, labels={})["HostConfig"]


def test_its_gpus_are_those_of_the_attachment_and_other_devices_stay() -> None:
    old = (device("/dev/nvidia0", "/dev/nvidia0"), device("/run/ds01/dev/nvidia1", "/dev/nvidia1"),
           device("/dev/null", "/dev/nvidia2"), device("/dev/dri/card0", "/dev/dri/card0"))  # fmt: skip
    fuse = device("/dev/fuse", "/dev/lab", "r")
    host = again(Attachment(devices=(Device(host="/dev/nvidia5", inside="/dev/nvidia0"),)), *old, fuse)
    assert host["Devices"] == [device("/dev/nvidia5", "/dev/nvidia0", "rwm"), fuse]


def test_beside_a_request_as_well() -> None:
    fuse = device("/dev/fuse", "/dev/fuse")
    host = again(Attachment(requests=(DeviceRequest(driver="nvidia", ids=("GPU-1",)),)), fuse)
    assert (host["Devices"], len(host["DeviceRequests"])) == ([fuse], 1)
