"""A container that DS01 makes itself is not kept busy by its image's own health check."""

from __future__ import annotations

from ds01.adapters.docker.read import image_inspected
from ds01.adapters.docker.write import create_body
from ds01.domain.container import Attachment, ContainerSpec, Resources
from ds01.domain.health import OFTEN_NS, Health

IMAGE = {"Id": "sha256:1", "Created": "2025-01-01T00:00:00Z", "Size": 1}


def spec(health: Health) -> ContainerSpec:
    return ContainerSpec(
        name="thesis", image="sha256:1", command=("sh",), user="1:1", hostname="thesis", working_dir="/",
        environment={}, labels={}, mounts=(), attachment=Attachment(), cgroup_parent="", network="none",
        resources=Resources(cpus=1, memory_bytes=1, swap_bytes=0, shm_bytes=1, pids=1), stop_grace_seconds=1,
        health=health,
    )  # fmt: skip


def test_d10_the_check_of_an_image_is_slowed() -> None:
    checked = {"Test": ["CMD", "true"], "Interval": 1_000_000, "StartInterval": 1_000_000}
    read = image_inspected({**IMAGE, "Config": {"Healthcheck": checked}}).health
    assert read == Health(interval_ns=1_000_000, starting_ns=1_000_000)
    assert create_body(spec(read))["Healthcheck"] == {"Interval": OFTEN_NS, "StartInterval": OFTEN_NS}


def test_an_image_without_one_gets_none() -> None:
    for config in (None, {}, {"Healthcheck": None}, {"Healthcheck": {"Test": ["NONE"]}}):
        read = image_inspected({**IMAGE, "Config": config}).health
        assert "Healthcheck" not in create_body(spec(read))


def test_at_how_many_places_an_image_wants_volumes() -> None:
    assert image_inspected({**IMAGE, "Config": {"Volumes": {"/a": {}, "/b": {}}}}).volumes == 2
    assert image_inspected({**IMAGE, "Config": {"Volumes": None}}).volumes == 0
