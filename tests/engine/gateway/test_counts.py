"""What the kernel counts by uid: a container with root takes it from its owner's others, and from nobody else."""

from __future__ import annotations

import fcntl
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from ds01.runc.namespace import in_the_name_of
from tests.engine.gateway.ground import IMAGE, Ground, User, wait
from tests.engine.gateway.test_build import folder
from tests.engine.gateway.test_buildkit import built

pytestmark = [pytest.mark.engine, pytest.mark.root]

TAKES = """
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>
int main(int count, char **words) {
    int most = atoi(words[1]), watchers = 0, queues = 0, signals = 0;
    sigset_t blocked;
    union sigval nothing = {0};
    sigemptyset(&blocked); sigaddset(&blocked, SIGRTMIN); sigprocmask(SIG_BLOCK, &blocked, 0);
    while (watchers < most && inotify_init1(0) >= 0) watchers++;
    while (queues < most && mq_open("/takes", O_CREAT | O_RDWR, 0600, 0) >= 0) { mq_unlink("/takes"); queues++; }
    while (signals < most && !sigqueue(getpid(), SIGRTMIN, nothing)) signals++;
    printf("taken %d %d %d\\n", watchers > 0, queues > 0, signals > 0); fflush(stdout);
    if (most > 1) pause();
    return count - 2;
}
"""
"""Takes as many as it is told, or as there are, and says of each kind whether it got any."""
OWNER = 0xB704
"""Asks the kernel for a user namespace's owner (``NS_GET_OWNER_UID``)."""


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("takes")
    (place / "takes.c").write_text(TAKES)
    subprocess.run(["gcc", "-static", "-o", place / "takes", place / "takes.c"], check=True)
    return place / "takes"


def image(user: User, takes: Path) -> str:
    place = folder(user, "takes", f"FROM {IMAGE}\nCOPY takes /takes\n")
    shutil.copy(takes, place / "takes")
    name = f"{user.person.login}/takes"
    done = user.docker("build", "-q", "-t", name, str(place))
    assert done.code == 0, done.err
    return name


def test_d9_who_takes_all_there_are_takes_them_from_herself(
    alice: User, mallory: User, field: Ground, takes: Path
) -> None:
    hers, others = image(mallory, takes), image(alice, takes)
    assert mallory.docker("run", "-d", "--name", "all", hers, "/takes", "1000000").code == 0
    wait(lambda: "taken 1 1 1" in mallory.docker("logs", "all").out)
    assert subprocess.run([takes, "1"], capture_output=True, text=True).stdout == "taken 1 1 1\n"
    assert alice.docker("run", "--rm", others, "/takes", "1").out == "taken 1 1 1\n"
    assert mallory.docker("run", "--rm", hers, "/takes", "1").out == "taken 0 0 0\n"
    step = f"FROM {hers}\nRUN /takes 1\n"
    assert "taken 0 0 0" in mallory.docker("build", str(folder(mallory, "taking", step))).out
    done = built(mallory, "taking", step, "--progress", "plain")
    assert "taken 0 0 0" in done.out + done.err


def test_d9_the_namespace_of_root_belongs_to_a_number_of_nobodys(alice: User, field: Ground) -> None:
    container = alice.runs("owned")
    pid = field.seen(container)["State"]["Pid"]
    owner = bytearray(4)
    with open(f"/proc/{pid}/ns/user") as namespace:
        fcntl.ioctl(namespace, OWNER, owner)
    assert struct.unpack("I", owner) == (in_the_name_of(alice.uid),)
    assert Path(f"/proc/{pid}/uid_map").read_text().split() == ["0", "0", "4294967295"]
    assert alice.docker("exec", container, "ls", "/proc/1/fd").out.split() == ["0", "1", "2"]
