"""docker-py and aiodocker, as scripts use them, with no setting changed but where the socket is."""

from __future__ import annotations

import asyncio
import io
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiodocker
import docker
import pytest
from dev import people
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound
from docker.types import Healthcheck, LogConfig, Mount, Ulimit

from tests.engine.gateway.ground import IMAGE, Ground, User, wait

Sdk = Any
"""A client of docker-py: what is known of its types says of half of them that they may be something else."""

pytestmark = [
    pytest.mark.engine,
    pytest.mark.root,
    # docker-py leaves the sockets of streams to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def sdk(user: User) -> Iterator[Sdk]:
    """Every connection is made as the user: the kernel says who she is."""
    with people.acting_as(user.person):
        client = docker.DockerClient(base_url=f"unix://{user.gateway}", timeout=600)
        yield client
        client.close()


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    return buffer.getvalue()


def test_containers_of_the_sdk(sdk: Sdk) -> None:
    assert sdk.ping()
    assert sdk.containers.run(IMAGE, "echo hello", remove=True) == b"hello\n"
    with pytest.raises(ContainerError):
        sdk.containers.run(IMAGE, "sh -c 'echo no >&2; exit 3'", remove=True)
    with pytest.raises(ImageNotFound):
        sdk.containers.create("absent:1")
    made = sdk.containers.run(
        IMAGE, ["sh", "-c", "echo begun; exec sleep 999"], detach=True, name="sdk", labels={"a": "b"}, tty=True,
        init=True,
        environment={"A": "1"}, mem_limit="64m", nano_cpus=500_000_000, working_dir="/tmp", hostname="sdkhost",
        tmpfs={"/scratch": "size=1m"}, ulimits=[Ulimit(name="nofile", soft=64, hard=64)], cap_drop=["ALL"],
        healthcheck=Healthcheck(test=["CMD", "true"], interval=10**10), log_config=LogConfig(type="json-file"),
        mounts=[Mount("/vol", "sdkvol")], volumes={"sdkbind": {"bind": "/bound", "mode": "ro"}}, read_only=True,
        ports={"80/tcp": None}, extra_hosts={"here": "10.1.2.3"}, group_add=["1234"], stop_signal="SIGKILL",
        security_opt=["no-new-privileges"], restart_policy={"Name": "on-failure", "MaximumRetryCount": 2},
    )  # fmt: skip
    made.reload()
    assert (made.status, made.name, made.labels, made.image.tags) == ("running", "sdk", {"a": "b"}, [f"{IMAGE}:latest"])
    assert made.attrs["HostConfig"]["Binds"] == ["sdkbind:/bound:ro"]
    assert made.attrs["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}
    assert made.ports["80/tcp"][0]["HostIp"] == "127.0.0.1"
    assert sdk.containers.get(made.id) == sdk.containers.get("sdk") == sdk.containers.list(filters={"label": "a=b"})[0]
    assert made.exec_run("sh -c 'echo $A; pwd'").output == b"1\n/tmp\n"
    code, (out, err) = made.exec_run(["sh", "-c", "echo o; echo e >&2; exit 4"], demux=True)
    assert (code, out, err) == (4, b"o\n", b"e\n")
    assert b"".join(made.exec_run("echo streamed", stream=True).output) == b"streamed\n"
    wait(lambda: b"begun" in made.logs())
    assert next(made.logs(stream=True, follow=True)).startswith(b"b")
    assert made.stats(stream=False)["name"] == "/sdk"
    assert next(made.stats(decode=True))["id"] == made.id
    assert any("sleep" in " ".join(row) for row in made.top()["Processes"])
    assert "/vol" in {each["Path"] for each in made.diff()}
    made.resize(20, 70)
    made.rename("sdk2")
    made.update(mem_limit="32m", memswap_limit="32m")
    made.pause()
    made.unpause()
    made.restart(timeout=0)
    made.kill()
    assert made.wait()["StatusCode"] == 137
    made.remove(v=True)
    with pytest.raises(NotFound):
        made.reload()
    for name in ("sdkvol", "sdkbind"):
        sdk.volumes.get(name).remove()


def test_what_was_asked_for_is_shown_so(sdk: Sdk) -> None:
    for asked in ({}, {"max-file": "5"}, {"max-size": "1m", "max-file": "2"}):
        made = sdk.containers.create(IMAGE, "true", log_config=LogConfig(type="json-file", config=asked))
        assert made.attrs["HostConfig"]["LogConfig"] == {"Type": "json-file", "Config": asked}
        made.start()
        assert made.wait()["StatusCode"] == 0
        made.remove()
    sdk.networks.create("sdkshown")
    for aliases in (None, ["one", "two"]):
        ends = {"sdkshown": sdk.api.create_endpoint_config(aliases=aliases)}
        made = sdk.containers.create(IMAGE, "true", name="sdkshown", network="sdkshown", networking_config=ends)
        shown = made.attrs["NetworkSettings"]["Networks"]["sdkshown"]["Aliases"]
        assert [name for name in shown or () if name not in made.id] == (aliases or [])
        made.remove()
    sdk.networks.get("sdkshown").remove()


def test_what_a_finished_container_said_is_not_lost(sdk: Sdk) -> None:
    made = sdk.containers.run(IMAGE, "echo hello", detach=True)
    made.wait()
    assert [made.attach(stream=False, logs=True) for _ in range(20)] == [b"hello\n"] * 20


def test_input_and_files_of_the_sdk(sdk: Sdk) -> None:
    made = sdk.containers.create(IMAGE, "cat", stdin_open=True)
    sock = made.attach_socket(params={"stdin": 1, "stdout": 1, "stream": 1})
    made.start()
    sock._sock.sendall(b"line\n")
    heard = b""
    while len(heard) < 8 + 5:
        heard += sock._sock.recv(8 + 5)
    assert heard[-5:] == b"line\n"
    sock.close()
    made.stop(timeout=0)
    assert made.put_archive("/tmp", archive(carried="yes"))
    stream, told = made.get_archive("/tmp/carried")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
        found = tar.extractfile("carried")
        assert found is not None
        assert found.read() == b"yes"
    assert told["name"] == "carried"
    assert b"carried" in b"".join(made.export())
    assert sdk.containers.prune()["ContainersDeleted"] == [made.id]


def test_images_of_the_sdk(sdk: Sdk, user: User) -> None:
    context = user.folder("sdkbuild")
    (context / "Dockerfile").write_text(f"FROM {IMAGE}\nLABEL mine=yes\nARG V=0\nRUN echo $V > /v\nCMD cat /v\n")
    built, log = sdk.images.build(path=str(context), tag="sdk:1", buildargs={"V": "7"}, rm=True, gzip=True)
    assert any("Successfully built" in str(line) for line in log)
    assert (built.tags, built.labels) == (["sdk:1"], {"mine": "yes"})
    assert sdk.containers.run("sdk:1", remove=True) == b"7\n"
    assert built.tag("sdk", "2")
    assert sdk.images.get("sdk:2").id == built.id
    assert set(built.history()[0]["Tags"]) == {"sdk:1", "sdk:2"}
    saved = b"".join(built.save(named="sdk:1"))
    sdk.images.remove("sdk:1")
    sdk.images.remove("sdk:2")
    (loaded,) = sdk.images.load(saved)
    assert loaded.tags == ["sdk:1"]
    made = sdk.containers.create("sdk:1")
    committed = made.commit("sdk", "3", message="m", author="a", changes=["ENV X=1"])
    assert "X=1" in committed.attrs["Config"]["Env"]
    made.remove()
    assert {tag for image in sdk.images.list("sdk") for tag in image.tags} == {"sdk:1", "sdk:3"}
    for tag in ("sdk:1", "sdk:3"):
        sdk.images.remove(tag)
    with pytest.raises(ImageNotFound):
        sdk.images.get("sdk:1")


def test_networks_volumes_and_the_system_of_the_sdk(sdk: Sdk) -> None:
    network = sdk.networks.create("sdknet", labels={"a": "b"})
    made = sdk.containers.run(IMAGE, "sleep 999", detach=True, name="sdk")
    network.connect(made, aliases=["other"])
    network.reload()
    assert network.containers == [made]
    network.disconnect(made)
    assert sdk.networks.list(names=["sdknet"]) == [network]
    with pytest.raises(APIError) as caught:
        sdk.networks.create("sdknet", check_duplicate=True)
    assert caught.value.status_code == 409
    network.remove()
    volume = sdk.volumes.create("sdkvol2", labels={"a": "b"})
    assert (volume.name, volume.attrs["Labels"]) == ("sdkvol2", {"a": "b"})
    assert volume in sdk.volumes.list(filters={"label": "a=b"})
    volume.remove()
    with pytest.raises(NotFound):
        sdk.volumes.get("sdkvol2")
    told = sdk.events(since=0, until=int(time.time()) + 1, decode=True, filters={"container": "sdk"})
    assert {"create", "start"} <= {event["Action"] for event in told}
    assert sdk.info()["ContainersRunning"] == 1
    assert sdk.version()["MinAPIVersion"] == "1.24"
    assert len(sdk.df()["Containers"]) == 1
    with pytest.raises(APIError) as caught:
        sdk.swarm.init()
    assert caught.value.status_code == 403
    assert sdk.swarm.leave(force=True)
    with pytest.raises(APIError) as caught:
        sdk.services.list()
    assert caught.value.status_code == 503
    made.remove(force=True)


async def of_a_container(listening: Any) -> dict[str, Any]:
    """The next that is told of a container; her network is told of as well."""
    while True:
        event: dict[str, Any] = await listening.get()
        if event["Type"] == "container":
            return event


async def test_aiodocker(place: Ground, user: User) -> None:
    del place
    with people.acting_as(user.person):
        async with aiodocker.Docker(url=f"unix://{user.gateway}") as client:
            sdk: Any = client
            config = {"Image": IMAGE, "Cmd": ["cat"], "OpenStdin": True, "AttachStdin": True, "AttachStdout": True}
            made = await sdk.containers.create(config, name="aio")
            listening = sdk.events.subscribe()
            async with made.attach(stdin=True, stdout=True, stderr=True) as stream:
                await made.start()
                await stream.write_in(b"typed\n")
                message = await stream.read_out()
            assert message is not None
            assert message.data == b"typed\n"
            hearing = asyncio.ensure_future(of_a_container(listening))
            while not (await asyncio.wait({hearing}, timeout=1))[0]:
                await made.pause()  # the stream may have begun after the start
                await made.unpause()
            assert hearing.result()["Actor"]["Attributes"]["name"] == "aio"
            execution = await made.exec(["sh", "-c", "echo $0 said"])
            async with execution.start(detach=False) as stream:
                said = await stream.read_out()
            assert said is not None
            assert said.data == b"sh said\n"
            assert (await made.show())["Name"] == "/aio"
            assert [each.id for each in await sdk.containers.list()] == [made.id]
            await made.kill()
            assert (await made.wait())["StatusCode"] == 137
            assert [line async for line in made.log(stdout=True, follow=True)] == ["typed\n"]
            await made.delete(force=True)
            assert await sdk.images.inspect(IMAGE)
            await sdk.events.stop()


def test_nothing_was_set(user: User) -> None:
    assert not Path(user.home / ".docker" / "config.json").exists()
