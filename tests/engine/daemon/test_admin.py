"""An admin at night, on a real engine: somebody else's container, by the name its owner calls it."""

from __future__ import annotations

import time

import pytest

from ds01.client.admin import Admin
from ds01.domain.errors import ADMIN_ONLY, NO_CONTAINER, Ds01Error
from ds01.wire.containers import WhyView
from ds01.wire.lifecycle import NoticeView
from tests.engine.daemon.conftest import Daemon, Docker, User, eventually

pytestmark = [pytest.mark.engine, pytest.mark.root]

REASON = "GPU 0 is mended tonight"


def test_an_admin_ends_a_container_and_its_owner_reads_why(
    one_daemon: Daemon, alice: User, bob: User, docker: Docker
) -> None:
    made, login = alice.launch(), alice.person.login
    with pytest.raises(Ds01Error) as refused:
        bob.ask("stop", "thesis", user=login)
    assert refused.value.kind is ADMIN_ONLY
    assert docker.inspect(made.id)["State"]["Running"] is True

    root = one_daemon.root()
    assert root.stop("thesis", user=login, reason=REASON).state == "stopped"
    assert docker.inspect(made.id)["State"]["Running"] is False
    root.start("thesis", user=login)
    root.retire("thesis", user=login, reason=REASON)
    docker("inspect", made.id, fails=True)
    with pytest.raises(Ds01Error) as gone:
        root.container("thesis", user=login)
    assert gone.value.kind is NO_CONTAINER

    story = alice.ask("why", "thesis")
    assert isinstance(story, WhyView)
    said = [entry.what for entry in story.entries]
    assert f"thesis was stopped by admin root: {REASON}." in said
    assert f"thesis was retired by admin root: {REASON}." in said
    told = (alice.workspace() / ".ds01/notices").read_text()
    for did in ("stopped", "started", "retired"):
        assert f"root, an admin, {did} your container thesis" in told


def test_everybody_is_told_at_once_and_reads_it_also_after_ds01d_was_killed(
    one_daemon: Daemon, alice: User, bob: User
) -> None:
    alice.launch()
    admin = Admin(str(one_daemon.socket))
    admin.announce("new driver on Friday")
    said = "From root, an admin: new driver on Friday"
    notices = alice.workspace() / ".ds01/notices"
    eventually(lambda: notices.exists() and said in notices.read_text())
    for _ in range(2):
        assert [notice.title for notice in read(bob)] == [said]
    one_daemon.kill()
    one_daemon.start()
    assert [notice.title for notice in read(bob)] == [said]
    time.sleep(3)  # longer than it takes to be told again
    assert notices.read_text().count(said) == 1
    admin.clear_announcement()
    assert read(bob) == ()
    alice.ask("retire", "thesis")


def read(person: User) -> tuple[NoticeView, ...]:
    found = person.ask("unseen_notices")
    assert isinstance(found, tuple)
    return found
