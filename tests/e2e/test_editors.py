"""From a laptop into a container: JupyterLab through ``ssh -L``, and ``ssh`` itself, as the printed lines say.

The laptop is another account of this machine, with a key and an ``~/.ssh/config`` of its own; the server's sshd is a
real one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dev import openssh, people
from dev.people import Person
from dev.promises.lab import Lab, Student

from ds01.adapters.host.meters import CgroupMeters
from ds01.domain.container import ContainerId
from ds01.domain.lifecycle.activity import busy_with
from ds01.domain.people import Uid
from ds01.domain.settings import IdleRule
from ds01.services.enforce.look import Seen, note
from ds01.services.enforce.memory import Watched
from tests.e2e.websocket import Websocket

pytestmark = [
    pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow,
    pytest.mark.skipif(not openssh.available(), reason="needs ssh, and sshd or apt-get"),
]  # fmt: skip
HOST = "gpu-server"


@pytest.fixture(scope="module")
def ada(lab: Lab) -> Iterator[Student]:
    """A student with a container."""
    lab.fresh()
    lab.ada.project("thesis")
    lab.ada.launches("thesis")
    yield lab.ada
    lab.ada.retires_all()


@pytest.fixture(scope="module")
def laptop(lab: Lab, ada: Student) -> Iterator[Person]:
    """Her laptop: an account that may log in as her."""
    login = f"ds01-lap{os.getpid()}"
    people.make(login)
    mine = people.person(login)
    try:
        with openssh.serving(ada.person, mine, HOST) as (sshd, key):
            config = sshd.block(key) + ada.ds01("ssh-config", "--server", HOST, "--quiet").out
            mine.run("tee", str(mine.home / ".ssh/config"), given=config)
            yield mine
    finally:
        people.remove(login)


def until(so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextlib.contextmanager
def typed(person: Person, line: str) -> Iterator[None]:
    """A line typed in a terminal that stays open."""
    process = person.start(*shlex.split(line))
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def fetched(url: str, data: bytes | None = None) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=300) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def ran(port: int, token: str, code: str) -> str:
    """What a cell prints, run in a new kernel as a notebook does."""
    status, said = fetched(f"http://localhost:{port}/api/kernels?token={token}", b"{}")
    assert status == 201
    kernel = json.loads(said)["id"]
    channel = Websocket(port, f"/api/kernels/{kernel}/channels?token={token}")
    assert channel.status == 101
    header = {"msg_id": uuid.uuid4().hex, "session": uuid.uuid4().hex, "username": "", "msg_type": "execute_request",
              "version": "5.3"}  # fmt: skip
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
    channel.send(json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content,
                             "channel": "shell"}))  # fmt: skip
    while True:
        frame = channel.receive()
        if frame[:1] == b"{" and (found := json.loads(frame))["msg_type"] == "stream":
            channel.close()
            return str(found["content"]["text"])


WORK = """\
import threading
def work():
    while True:
        pass
threading.Thread(target=work, daemon=True).start()
print("on")
"""
LOOK_SECONDS = 5.0


def does(container: ContainerId, uid: int) -> str:
    """What keeps it from being idle, as ds01d sees that: by the kernel's counters, over a moment."""
    meters, watched = CgroupMeters(), Watched()
    for wait in (0, LOOK_SECONDS):
        time.sleep(wait)
        seen = Seen(meters=meters.read([(container, Uid(uid))]), slots={}, energy={})
        note(watched, seen, container, None, 1.0, time.monotonic())
    return busy_with(list(watched.history), IdleRule())


def test_what_is_not_in_the_image_is_told_with_what_puts_it_there(ada: Student) -> None:
    for program, package in (("jupyter", "jupyterlab"), ("tensorboard", "tensorboard")):
        done = ada.tries(program, "thesis")
        assert done.code == 4
        assert f"ds01 image update thesis --add {package}" in done.err


def test_a_notebook_runs_a_cell_through_the_printed_tunnel_with_its_token_alone(
    lab: Lab, ada: Student, laptop: Person
) -> None:
    """In the image of a project as ``ds01 init`` makes it when nothing more is said. A kernel that holds memory and
    waits for her is idle by the real counters, and one that computes is not.
    """
    ada.ds01("init", "sheets", "--no-input")
    ada.launches("sheets")
    assert "outputs" in ada.inside("sheets", "python scripts/example.py")
    found = ada.data("jupyter", "sheets", "--server", HOST)
    assert found["new"]
    assert ada.data("jupyter", "sheets", "--server", HOST)["url"] == found["url"]
    port, token = found["port"], found["url"].partition("token=")[2]
    with typed(laptop, found["tunnel"]):
        until(lambda: listens(port))
        assert fetched(found["url"])[0] == 200
        assert fetched(f"http://localhost:{port}/api/kernels")[0] == 403
        assert fetched(f"http://localhost:{port}/api/kernels?token=x{token[1:]}")[0] == 403
        kernels = json.loads(fetched(f"http://localhost:{port}/api/kernelspecs?token={token}")[1])["kernelspecs"]
        assert [each["spec"]["display_name"] for each in kernels.values()] == ["sheets"]
        assert ran(port, token, "import os; print(6 * 7, os.getcwd(), os.getuid())").split() == [
            "42", "/workspace", str(ada.uid),
        ]  # fmt: skip
        container = ContainerId(ada.container("sheets")["id"])
        assert ran(port, token, "held = bytearray(100_000_000); print(len(held))").split() == ["100000000"]
        until(lambda: does(container, ada.uid) == "")
        assert ran(port, token, WORK).split() == ["on"]
        assert does(container, ada.uid).startswith("CPU ")
    way = Path(found["socket"])
    assert stat.S_IMODE(way.stat().st_mode) == 0o600
    assert token not in subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
    script = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    assert "PermissionError" in lab.ben.person.run("python3", "-c", script, str(way)).err
    assert "ends" in ada.ds01("jupyter", "sheets", "--stop").err
    until(lambda: "jupyter" not in ada.inside("sheets", "ps ax -o args"))
    ada.ds01("retire", "sheets", "--force", "--yes")
    assert not way.exists()


EVENTS = """\
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
writer = EventFileWriter("/workspace/runs/first")
for step in range(3):
    value = Summary.Value(tag="loss", simple_value=1 / (step + 1))
    writer.add_event(Event(step=step, wall_time=1e9, summary=Summary(value=[value])))
writer.close()
"""
"""As ``torch.utils.tensorboard`` writes them, which uses the same writer."""


def test_tensorboard_shows_a_training_s_curve_through_the_printed_tunnel_with_its_token_alone(
    lab: Lab, ada: Student, laptop: Person
) -> None:
    ada.inside("thesis", "pip install --quiet tensorboard")
    ada.ds01("exec", "thesis", "--", "python", "-c", EVENTS)
    found = ada.data("tensorboard", "thesis", "--logdir", "/workspace/runs", "--server", HOST)
    curve = f"http://localhost:{found['port']}/data/plugin/scalars/scalars?run=first&tag=loss"
    with typed(laptop, found["tunnel"]):
        until(lambda: listens(found["port"]))
        assert fetched(curve)[0] == 403
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(found["url"], timeout=300) as answer:
            assert b"TensorBoard" in answer.read()
        points: list[list[float]] = []

        def read() -> bool:
            """It reads its folder every few seconds, and knows no curve before."""
            with contextlib.suppress(urllib.error.HTTPError), browser.open(curve, timeout=300) as answer:
                points[:] = json.load(answer)
            return len(points) == 3

        until(read)
    assert [(step, round(value, 3)) for _, step, value in points] == [(0, 1.0), (1, 0.5), (2, 0.333)]
    assert "ends" in ada.ds01("tensorboard", "thesis", "--stop").err


def served(url: str) -> bool:
    """Whether there is a page: what leads there may be open before anybody answers at its end."""
    try:
        return fetched(url)[0] == 200
    except OSError:
        return False


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_on_the_server_is_for_its_owner_alone(lab: Lab, ada: Student) -> None:
    ada.ds01("exec", "-d", "thesis", "--", "python3", "-m", "http.server", "8501", "--bind", "127.0.0.1")
    number = ada.data("tunnel", "thesis", "8501")["port"]
    process = ada.person.start(str(ada.commands / "ds01"), "tunnel", "thesis", "8501", "--on-server", "--quiet")
    try:
        until(lambda: listens(number))
        get = f"import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:{number}/').status)"
        until(lambda: ada.person.run("python3", "-c", get).out.strip() == "200")
        done = lab.ben.person.run("python3", "-c", get)
        assert done.code != 0
        assert "200" not in done.out
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert not listens(number)
    ada.ds01("tunnel", "thesis", "8501", "--stop")


def test_a_port_that_is_taken_the_second_time_is_passed_over_and_told(lab: Lab, ada: Student) -> None:
    foretold = ada.data("tunnel", "thesis", "8600", "--dry-run")
    assert not Path(foretold["socket"]).exists()
    first = ada.data("tunnel", "thesis", "8600")
    assert (first["port"], first["new"]) == (foretold["port"], True)
    assert not ada.data("tunnel", "thesis", "8600", "--dry-run")["new"]
    assert "would end" in ada.ds01("tunnel", "thesis", "8600", "--stop", "--dry-run").err
    assert Path(first["socket"]).exists()
    ada.ds01("tunnel", "thesis", "8600", "--stop")
    holds = "import socket, time; s = socket.create_server(('127.0.0.1', {})); print(flush=True); time.sleep(600)"
    ben = lab.ben.person.start("python3", "-c", holds.format(first["port"]))
    try:
        until(lambda: listens(first["port"]))
        again = ada.ds01("tunnel", "thesis", "8600")
        assert f"Port {first['port']} is taken on the server, so it is " in again.err
        second = ada.data("tunnel", "thesis", "8600")
        assert (second["new"], second["port"] != first["port"]) == (False, True)
    finally:
        ben.kill()
        ben.wait(60)
    ada.ds01("tunnel", "thesis", "8600", "--stop")


def test_a_socket_that_was_left_behind_is_in_nobodys_way(ada: Student) -> None:
    way = Path(ada.data("tunnel", "thesis", "8601")["socket"])
    looks_for = f"[{way.name[0]}]{way.name[1:]}"  # which the line that looks for it does not match
    ada.inside(
        "thesis", f"for p in /proc/[0-9]*; do grep -q '{looks_for}' $p/cmdline && kill -9 ${{p##*/}}; done; true"
    )
    assert way.exists()
    again = ada.data("tunnel", "thesis", "8601")
    assert (again["new"], again["socket"]) == (True, str(way))
    assert not ada.data("tunnel", "thesis", "8601")["new"]
    ada.ds01("tunnel", "thesis", "8601", "--stop")


def test_a_port_that_is_kept_open_twice_is_a_sentence(ada: Student) -> None:
    number = ada.data("tunnel", "thesis", "8602")["port"]
    first = ada.person.start(str(ada.commands / "ds01"), "tunnel", "thesis", "8602", "--on-server", "--quiet")
    try:
        until(lambda: listens(number))
        second = ada.tries("tunnel", "thesis", "8602", "--on-server")
        assert second.code == 3
        assert f"Port {number} cannot be opened" in second.err
        assert first.poll() is None
    finally:
        first.send_signal(signal.SIGINT)
        first.wait(60)
    ada.ds01("tunnel", "thesis", "8602", "--stop")


def test_ssh_of_the_laptop_gives_a_shell_in_the_container(ada: Student, laptop: Person) -> None:
    inside = ada.inside("thesis", "hostname")
    done = laptop.run("ssh", "thesis.ds01", given="hostname; id -un; pwd; exit 7\n")
    assert done.out.split() == [inside, ada.person.login, "/workspace"], done.err
    assert done.code == 7
    tty = laptop.run("ssh", "-tt", "thesis.ds01", "test -t 0 && stty size", given="")
    assert tty.out.split() == ["24", "80"]


def test_commands_pipes_and_exit_codes_come_through_ssh(ada: Student, laptop: Person) -> None:
    script = (
        "head -c 3000000 /dev/urandom > f && ssh thesis.ds01 'cat > /tmp/f; echo told >&2; cat /tmp/f' < f | cmp - f"
    )
    done = laptop.run("bash", "-o", "pipefail", "-c", script)
    assert (done.code, done.err.splitlines()[-1:]) == (0, ["told"])
    assert laptop.run("ssh", "thesis.ds01", "kill -9 $$").code == 137


def test_ssh_leads_to_a_port_inside_the_container(ada: Student, laptop: Person) -> None:
    ada.ds01("exec", "-d", "thesis", "--", "python3", "-m", "http.server", "8502", "--bind", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    assert not listens(8502)
    with typed(laptop, f"ssh -N -L {number}:127.0.0.1:8502 thesis.ds01"):
        until(lambda: served(f"http://127.0.0.1:{number}/"))


def test_a_container_that_is_not_there_or_not_hers_is_a_sentence(lab: Lab, ada: Student, laptop: Person) -> None:
    done = laptop.run("ssh", "thesys.ds01", "true")
    assert done.code == 255
    assert "You have no container 'thesys'" in done.err
    lab.ben.project("other")
    lab.ben.launches("other")
    assert "You have no container 'other'" in laptop.run("ssh", "other.ds01", "true").err
    lab.ben.retires_all()


def test_scp_says_what_the_image_lacks_for_it(ada: Student, laptop: Person) -> None:
    done = laptop.run("scp", "/etc/hostname", "thesis.ds01:/tmp/x")
    assert done.code != 0
    assert "openssh-sftp-server" in done.err


def test_vs_code_gets_a_link_to_the_same_name(ada: Student) -> None:
    found = ada.data("code", "thesis", "--server", HOST)
    assert found["url"] == "vscode://vscode-remote/ssh-remote+thesis.ds01/workspace"
    assert "Host *.ds01" in found["config"]
