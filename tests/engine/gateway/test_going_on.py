"""A build goes on while ds01d is killed and started again: its names stay its user's, and so does what it makes."""

from __future__ import annotations

import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from dev import people

from ds01.gateway.held import LATER
from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, OLD_CLIENT, Ground, User, wait
from tests.engine.gateway.test_build import folder

pytestmark = [pytest.mark.engine, pytest.mark.root]


@pytest.mark.parametrize("buildkit", ["0", "1"])
def test_a_build_over_a_restart_of_ds01d_is_whose_it_was(
    mallory: User, alice: User, field: Ground, victim: Victim, buildkit: str
) -> None:
    tag, step = f"going-on:{buildkit}", f"sleep 90.{buildkit}7"
    place = folder(alice, f"going-on-{buildkit}", f"FROM {IMAGE}\nRUN {step}; echo {tag} > /hers\n")
    person = people.person(alice.person.login, DOCKER_HOST=f"unix://{alice.gateway}", DOCKER_BUILDKIT=buildkit)
    with ThreadPoolExecutor() as pool:
        done = pool.submit(person.run, OLD_CLIENT, "build", "--no-cache", "-t", tag, str(place), seconds=600)
        wait(lambda: begun(step))
        field.stop("ds01d", signal.SIGKILL)
        field.start_ds01d()
        wait(lambda: mallory.docker("tag", IMAGE, tag).code == 0)
        assert begun(step)
        subprocess.run(["pkill", "-f", f"^{step}$"], check=True)
        assert done.result().code == 0, done.result().err
    is_hers(alice, mallory, tag)


def test_a_build_that_ends_while_ds01d_is_away_is_hers_when_it_is_back(
    mallory: User, alice: User, field: Ground, victim: Victim
) -> None:
    tag, step = "going-on:away", "sleep 5.37"
    place = folder(alice, "going-on-away", f"FROM {IMAGE}\nRUN {step}; echo {tag} > /hers\n")
    with ThreadPoolExecutor() as pool:
        done = pool.submit(alice.docker, "build", "--no-cache", "-t", tag, str(place), client=OLD_CLIENT)
        wait(lambda: begun(step))
        field.stop("ds01d", signal.SIGKILL)
        ended = done.result()
        assert (ended.code, LATER in ended.err) == (1, True), ended.err
        field.start_ds01d()
    is_hers(alice, mallory, tag)


def begun(step: str) -> bool:
    """Whether this step is running."""
    return subprocess.run(["pgrep", "-f", f"^{step}$"], capture_output=True, check=False).returncode == 0


def is_hers(alice: User, mallory: User, tag: str) -> None:
    """She has what she built under its name, and nobody else has."""
    try:
        wait(lambda: alice.docker("run", "--rm", tag, "cat", "/hers").out.strip() == tag)
        assert mallory.docker("run", "--rm", tag, "cat", "/hers").code != 0
    finally:
        for user in (alice, mallory):
            user.docker("rmi", tag)
