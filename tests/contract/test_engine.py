"""What every Engine promises: the real one and the simulated one pass the same tests."""

from __future__ import annotations

import asyncio
import io
import subprocess
import tarfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from dev.engine import OwnEngine

from ds01.adapters.docker.engine import DockerEngine
from ds01.domain import errors
from ds01.domain.confinement import Amounts
from ds01.domain.container import Attachment, ContainerId, ContainerSpec, Device, Resources
from ds01.domain.errors import Ds01Error, ErrorKind
from ds01.domain.image import ImageId
from ds01.domain.labels import Label
from ds01.ports.engine import Engine, EngineEvent, NetworkSpec
from ds01.sim.clock import SimClock
from ds01.sim.engine import SimEngine

IMAGE = "contract/tiny:latest"
WITH_VOLUME = "contract/volume:latest"
NOBODY = ContainerId("0" * 64)
MEBI = 1024**2


def spec(name: str, image: str = IMAGE, *, attachment: Attachment | None = None) -> ContainerSpec:
    return ContainerSpec(
        name=name, image=image, command=("/bin/busybox", "sleep", "600"), user="1000:1000", hostname="thesis",
        working_dir="/", environment={"A": "1"}, labels={Label.OWNER: "1000", Label.NAME: name}, mounts=(),
        attachment=attachment or Attachment(),
        resources=Resources(cpus=1.0, memory_bytes=64 * MEBI, swap_bytes=0, shm_bytes=16 * MEBI, pids=64),
        cgroup_parent="", network="none", stop_grace_seconds=1,
    )  # fmt: skip


def network(name: str, range_: str) -> NetworkSpec:
    return NetworkSpec(name=name, labels={Label.OWNER: "1001"}, range=range_)


async def refused(kind: ErrorKind, work: Awaitable[object]) -> None:
    with pytest.raises(Ds01Error) as caught:
        await work
    assert caught.value.kind is kind, caught.value.problem


@asynccontextmanager
async def way_to(socket: str, path: Path) -> AsyncIterator[None]:
    """Another address of an engine; when it is closed, so is every connection through it."""
    ways: list[asyncio.StreamWriter] = []

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(65536):
            sink.write(piece)
        sink.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, asking = await asyncio.open_unix_connection(socket)
        ways.extend((writer, asking))
        await asyncio.gather(copy(reader, asking), copy(answers, writer), return_exceptions=True)

    async with await asyncio.start_unix_server(carry, path):
        yield
        for way in ways:
            way.transport.abort()
    path.unlink()


class EngineContract:
    """Each test makes its own containers; the fixture removes them."""

    async def test_the_engine_that_answers_tells_its_version(self, engine_port: Engine) -> None:
        asked = [await engine_port.ping(), await engine_port.ping()]
        assert set(asked) == {(await engine_port.version()).engine}
        assert asked[0]

    async def test_it_says_where_it_keeps_everything(self, engine_port: Engine) -> None:
        root = await engine_port.data_root()
        assert root.startswith("/")
        assert await engine_port.data_root() == root

    async def test_a_new_container_is_there_and_does_not_run(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-new"))
        seen = await engine_port.inspect(made)
        assert seen is not None
        assert (len(made), seen.id, seen.stored_name) == (64, made, "c-new")
        assert (seen.running, seen.paused, seen.ever_started, seen.started_at) == (False, False, False, None)
        assert seen.labels[Label.OWNER] == "1000"
        assert seen.image.startswith("sha256:")

    async def test_what_it_may_use_is_put_back(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-back"))
        await engine_port.start(made)
        less = Amounts(cpus=0.5, memory_bytes=32 * MEBI, swap_bytes=0, pids=32)
        await engine_port.put_back(made, less, stays_down=True)
        seen = await engine_port.inspect(made)
        assert seen is not None
        assert seen.confinement is not None
        assert (seen.running, seen.confinement.amounts, seen.confinement.restart) == (True, less, "no")
        assert (seen.confinement.privileged, seen.confinement.host, seen.confinement.opened) == (False, (), ())

    async def test_the_list_shows_everybody_in_one_call(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-list"))
        await engine_port.start(made)
        other = await engine_port.create(spec("c-list2"))
        listed = {seen.id: seen for seen in await engine_port.list()}
        assert (listed[made].running, listed[made].stored_name, listed[made].ever_started) == (True, "c-list", True)
        assert (listed[other].running, listed[other].ever_started) == (False, False)
        assert listed[made].labels[Label.NAME] == "c-list"

    async def test_start_stop_and_start_again(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-start"))
        await engine_port.start(made)
        await engine_port.start(made)
        running = await engine_port.inspect(made)
        assert running is not None
        assert running.running
        assert running.started_at is not None
        await engine_port.stop(made, 1)
        await engine_port.stop(made, 1)
        stopped = await engine_port.inspect(made)
        assert stopped is not None
        assert not stopped.running
        assert stopped.finished_at is not None
        assert stopped.exit_code in (137, 143)
        await engine_port.start(made)
        again = await engine_port.inspect(made)
        assert again is not None
        assert again.running

    async def test_pause_and_unpause(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-pause"))
        await refused(errors.WRONG_STATE, engine_port.pause(made))
        await engine_port.start(made)
        await refused(errors.WRONG_STATE, engine_port.unpause(made))
        await engine_port.pause(made)
        seen = await engine_port.inspect(made)
        assert seen is not None
        assert (seen.running, seen.paused) == (True, True)
        await refused(errors.WRONG_STATE, engine_port.pause(made))
        await engine_port.unpause(made)
        seen = await engine_port.inspect(made)
        assert seen is not None
        assert not seen.paused

    async def test_a_running_container_is_removed_by_force_only(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-remove"))
        await engine_port.start(made)
        await refused(errors.WRONG_STATE, engine_port.remove(made))
        await engine_port.remove(made, force=True)
        assert await engine_port.inspect(made) is None
        await engine_port.remove(made)

    async def test_a_name_is_taken_once(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-taken"))
        await refused(errors.NAME_TAKEN, engine_port.create(spec("c-taken")))
        other = await engine_port.create(spec("c-other"))
        await refused(errors.NAME_TAKEN, engine_port.rename(other, "c-taken"))
        await engine_port.rename(made, "c-taken.old")
        await engine_port.rename(other, "c-taken")
        seen = await engine_port.inspect(other)
        assert seen is not None
        assert seen.stored_name == "c-taken"

    async def test_a_missing_image_is_said(self, engine_port: Engine) -> None:
        await refused(errors.NO_IMAGE, engine_port.create(spec("c-noimage", "contract/none:latest")))
        assert await engine_port.image("contract/none:latest") is None
        await refused(errors.NO_IMAGE, engine_port.remove_image("contract/none:latest"))

    async def test_an_unknown_container_is_said(self, engine_port: Engine) -> None:
        assert await engine_port.inspect(NOBODY) is None
        await refused(errors.NO_CONTAINER, engine_port.start(NOBODY))
        await refused(errors.NO_CONTAINER, engine_port.stop(NOBODY, 1))
        await refused(errors.NO_CONTAINER, engine_port.pause(NOBODY))
        await refused(errors.NO_CONTAINER, engine_port.changes(NOBODY))

    async def test_the_layers_of_an_image_are_its_size(self, engine_port: Engine) -> None:
        image = await engine_port.image(IMAGE)
        assert image is not None
        layers = await engine_port.layers(image.id)
        assert sum(layer.size_bytes for layer in layers) == image.size_bytes > 0
        assert await engine_port.layers(image.id) == layers
        assert await engine_port.layers(ImageId("sha256:" + "0" * 64)) == ()

    async def test_what_containers_wrote_is_measured(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-measured"))
        use = await engine_port.disk_use()
        assert use.containers[made] >= 0
        await engine_port.remove(made, force=True)
        assert made not in (await engine_port.disk_use()).containers

    async def test_an_image_in_use_stays(self, engine_port: Engine) -> None:
        first = await engine_port.create(spec("c-keep"))
        kept = await engine_port.commit(first, "contract/kept:one")
        image = await engine_port.image("contract/kept:one")
        assert image is not None
        assert image.id == kept
        assert image.labels[Label.INTERNAL] == "1"
        assert kept in {each.id for each in await engine_port.images()}
        second = await engine_port.create(spec("c-kept", kept))
        await refused(errors.IMAGE_IN_USE, engine_port.remove_image("contract/kept:one"))
        await engine_port.remove(second)
        await engine_port.remove_image("contract/kept:one")
        assert await engine_port.image("contract/kept:one") is None

    async def test_a_name_is_taken_from_whatever_had_it(self, engine_port: Engine) -> None:
        first = await engine_port.create(spec("c-tagged"))
        one, two = [await engine_port.commit(first, f"contract/moved:{number}") for number in ("one", "two")]
        await engine_port.tag_image(one, "contract/moved:two")
        moved = await engine_port.image("contract/moved:two")
        assert moved is not None
        assert (moved.id, set(moved.tags)) == (one, {"contract/moved:one", "contract/moved:two"})
        await refused(errors.NO_IMAGE, engine_port.tag_image(ImageId("sha256:" + "0" * 64), "contract/moved:one"))
        await engine_port.remove_image("contract/moved:two")
        left = await engine_port.image(one)
        assert left is not None
        assert left.tags == ("contract/moved:one",)
        await engine_port.remove_image(one)
        if one != two:
            await engine_port.remove_image(two)

    async def test_devices_are_seen_as_they_were_given(self, engine_port: Engine) -> None:
        given = Attachment(devices=(Device(host="/dev/null", inside="/dev/nvidia0"),))
        made = await engine_port.create(spec("c-device", attachment=given))
        seen = await engine_port.inspect(made)
        assert seen is not None
        assert seen.devices == ("/dev/null",)

    async def test_processes_and_usage_of_what_runs(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-top"))
        assert await engine_port.processes(made) == ()
        assert await engine_port.usage(made) is None
        await engine_port.start(made)
        assert await engine_port.processes(made)
        usage = await engine_port.usage(made)
        assert usage is not None
        assert usage.pids >= 1
        assert usage.memory_limit_bytes == 64 * MEBI

    async def test_a_missing_file_is_said(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-file"))

        async def read(pieces: AsyncGenerator[bytes, None]) -> None:
            async for _ in pieces:
                pass

        await refused(errors.ENGINE_ERROR, read(engine_port.read_files(made, "/no/such/file")))
        await refused(errors.ENGINE_ERROR, read(engine_port.read_layer(made, "/no/such/file")))

    async def test_files_written_before_the_start_are_there(self, engine_port: Engine) -> None:
        made = await engine_port.create(spec("c-write"))
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            entry = tarfile.TarInfo("etc/told")
            entry.size = 5
            tar.addfile(entry, io.BytesIO(b"hello"))
        await engine_port.write_files(made, buffer.getvalue())
        for read in (engine_port.read_files, engine_port.read_layer):
            found = b"".join([piece async for piece in read(made, "/etc/told")])
            with tarfile.open(fileobj=io.BytesIO(found)) as tar:
                member = tar.next()
                assert member is not None
                file = tar.extractfile(member)
                assert file is not None
                assert file.read() == b"hello"

    async def test_networks_have_their_range(self, engine_port: Engine) -> None:
        made = await engine_port.create_network(network("c-net", "198.19.255.0/26"))
        (seen,) = await engine_port.networks("c-net")
        assert (seen.id, seen.labels[Label.OWNER], seen.ranges) == (made, "1001", ("198.19.255.0/26",))
        assert made in {each.id for each in await engine_port.networks()}
        await refused(errors.NO_ADDRESSES, engine_port.create_network(network("c-net2", "198.19.255.32/27")))
        container = await engine_port.create(replace(spec("c-network"), network="c-net"))
        await engine_port.start(container)
        await engine_port.remove(container, force=True)
        await engine_port.remove_network(made)
        await engine_port.remove_network(made)
        assert await engine_port.networks("c-net") == ()

    async def test_a_volume_is_made_once(self, engine_port: Engine) -> None:
        assert await engine_port.volume("c-volume") is None
        made = await engine_port.create_volume("c-volume", {Label.OWNER: "1001"}, {})
        again = await engine_port.create_volume("c-volume", {Label.OWNER: "1002"}, {})
        assert made == again == await engine_port.volume("c-volume")
        assert made.labels == {Label.OWNER: "1001"}
        assert made.folder.startswith("/")
        assert "c-volume" in {each.name for each in await engine_port.volumes()}

    async def test_what_an_image_has_for_volumes_goes_with_the_container(self, engine_port: Engine) -> None:
        image = await engine_port.image(WITH_VOLUME)
        assert image is not None
        assert image.volumes == 1
        made = await engine_port.create(spec("c-kept", WITH_VOLUME))
        seen = await engine_port.inspect(made)
        assert seen is not None
        (name,) = seen.volumes
        kept = await engine_port.volume(name)
        assert kept is not None
        assert (seen.volume_folders, Label.OWNER in kept.labels) == ({name: kept.folder}, False)
        assert {each.volumes for each in await engine_port.list() if each.id == made} == {()}
        assert await engine_port.having((name, "c-nobodys")) == (made,)
        assert (await engine_port.having(("c-nobodys",)), await engine_port.having(())) == ((), ())
        await engine_port.remove(made)
        assert await engine_port.volume(name) is None

    async def test_events_tell_what_happened(self, engine_port: Engine) -> None:
        heard: list[EngineEvent] = []

        async def listen() -> None:
            async with aclosing(engine_port.events({"start", "destroy"})) as stream:
                async for event in stream:
                    heard.append(event)
                    if event.action == "destroy":
                        return

        listening = asyncio.create_task(listen())
        while not heard:
            made = await engine_port.create(spec("c-events"))
            await engine_port.start(made)
            await engine_port.remove(made, force=True)
            await asyncio.wait([listening], timeout=0.2)
        await asyncio.wait_for(listening, 60)
        assert {event.action for event in heard} == {"start", "destroy"}
        assert all(event.at.tzinfo is not None for event in heard)


class TestSimEngine(EngineContract):
    """The simulated engine."""

    @pytest.fixture
    def engine_port(self) -> Engine:
        sim = SimEngine(SimClock())
        sim.add_image(IMAGE)
        sim.add_image(WITH_VOLUME, volumes=1)
        return sim


@pytest.fixture(scope="session")
def tiny_image(engine: OwnEngine) -> str:
    """An image with busybox alone: made in a blink, no registry."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add("/bin/busybox", "bin/busybox")
        for folder in ("dev", "proc", "sys", "tmp", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
    for more in ((IMAGE,), ("--change", "VOLUME /kept", WITH_VOLUME)):
        command = ["docker", "-H", f"unix://{engine.socket}", "import", *more[:-1], "-", more[-1]]
        subprocess.run(command, input=archive.getvalue(), check=True, capture_output=True)
    return IMAGE


@pytest.mark.engine
class TestDockerEngine(EngineContract):
    """The real engine."""

    @pytest.fixture
    async def engine_port(self, engine: OwnEngine, tiny_image: str) -> AsyncIterator[Engine]:
        real = DockerEngine(f"unix://{engine.socket}")
        yield real
        for seen in await real.list():
            if seen.stored_name.startswith("c-"):
                await real.remove(seen.id, force=True)
        await real.close()

    async def test_an_engine_that_is_not_there_is_said(self, tmp_path: Path) -> None:
        nobody = DockerEngine(f"unix://{tmp_path}/none.sock")
        await refused(errors.ENGINE_DOWN, nobody.version())
        await refused(errors.ENGINE_DOWN, nobody.ping())
        await nobody.close()

    async def test_an_engine_that_went_away_answers_no_ping(self, engine: OwnEngine, tmp_path: Path) -> None:
        real = DockerEngine(f"unix://{tmp_path}/way.sock")
        async with way_to(engine.socket, tmp_path / "way.sock"):
            assert await real.ping() == await real.ping() == (await real.version()).engine
        await refused(errors.ENGINE_DOWN, real.ping())
        await real.close()
