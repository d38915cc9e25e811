"""Admins at the gateway: they see and act on everything, what they create is policed, and past it leads one way."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dev import people

from ds01.client.admin import Admin
from ds01.client.daemon import Client
from ds01.domain.errors import Ds01Error
from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, Ground, Reply, User, ask, connected

pytestmark = [pytest.mark.engine, pytest.mark.root]
REASON = "what the old system left behind"


@pytest.fixture(scope="module")
def root(field: Ground) -> Iterator[User]:
    """An account whom the limits file makes an admin."""
    login = f"ds01-gw-admin-{field.mallory.uid}"
    people.make(login)
    limits = field.run / "limits.yaml"
    before = limits.read_text()
    limits.write_text(f"{before}groups: {{ops: {{members: [{login}], admin: true}}}}\n")
    wait(lambda: Client(str(field.run / "ds01d.sock")).limits(user=login).admin)
    yield User(person=people.person(login), gateway=field.gateway)
    limits.write_text(before)
    people.remove(login)


def wait(true: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def again(field: Ground) -> None:
    """Start the gateway anew: it remembers for some seconds who somebody is."""
    field.stop("ds01-gateway")
    field.start_gateway()


def told(field: Ground, kind: str) -> list[dict[str, str]]:
    """The details of the events of a type."""
    with sqlite3.connect(f"file:{field.state}/ledger.db?mode=ro", uri=True) as ledger:
        rows = ledger.execute("select details from events where type = ? order by seq", (kind,)).fetchall()
    return [json.loads(text) for (text,) in rows]


def as_(user: User, field: Ground, method: str, *arguments: Any) -> Any:
    """Ask ds01d as this user."""
    with people.acting_as(user.person):
        return getattr(Admin(str(field.run / "ds01d.sock")), method)(*arguments)


def past(user: User, field: Ground, method: str, path: str, body: Any = None) -> Reply:
    """A request on the way past the gateway."""
    with people.acting_as(user.person):
        sock = connected(str(field.run / "admin.sock"))
    return ask(sock, method, path, body)


def test_an_admin_sees_everything_and_acts_on_it(root: User, mallory: User, field: Ground, victim: Victim) -> None:
    hers = mallory.runs("hers")
    listed = {row["Id"]: row["Names"] for row in root.call("GET", "/v1.41/containers/json").json}
    assert {hers, victim.id} <= set(listed)
    assert listed[hers] == [f"/hers._.{mallory.uid}"]
    assert root.docker("exec", hers, "echo", "works").out == "works\n"
    assert root.docker("logs", hers).code == 0
    assert root.docker("stop", "-t", "0", f"hers._.{mallory.uid}").code == 0
    assert not field.seen(hers)["State"]["Running"]
    assert root.docker("start", hers).code == 0
    assert root.docker("update", "--memory", "900g", hers).code in (0, 1)
    assert field.seen(hers)["HostConfig"]["Memory"] <= 1 << 30
    assert field.seen(hers)["Config"]["Labels"]["ds01.owner.uid"] == str(mallory.uid)
    assert root.docker("rm", "-f", hers).code == 0
    assert hers not in field.ids()


def test_e1_e2_what_an_admin_creates_is_policed(root: User, field: Ground) -> None:
    before = field.ids()
    for host in ({"Privileged": True}, {"Binds": ["/:/h"]}, {"PidMode": "host"}, {"CapAdd": ["SYS_ADMIN"]}):
        assert root.create(HostConfig=host).status == 403
    assert field.ids() == before
    made = root.create(HostConfig={"Memory": 1 << 45})
    assert field.seen(made.json["Id"])["HostConfig"]["Memory"] == 1 << 30


def test_past_the_gateway_nobody_goes_who_is_no_admin(mallory: User, root: User, field: Ground) -> None:
    refused = past(mallory, field, "GET", "/version")
    assert (refused.status, "for admins" in refused.message) == (403, True)
    with pytest.raises(Ds01Error, match="Only admins"):
        as_(mallory, field, "open_glass", REASON, 5)
    assert past(root, field, "GET", "/version").status == 403
    assert ask(connected(str(field.run / "admin.sock")), "GET", "/version").status == 403
    for reason in ("", "  ", "x"):
        with pytest.raises(Ds01Error, match="needs a reason"):
            as_(root, field, "open_glass", reason, 5)
    with pytest.raises(Ds01Error):
        as_(root, field, "open_glass", REASON, 100_000)


def test_past_the_gateway_an_admin_goes_with_a_reason_that_is_kept(root: User, field: Ground, victim: Victim) -> None:
    opened = as_(root, field, "open_glass", REASON, 5)
    assert opened.socket == str(field.run / "admin.sock")
    try:
        assert past(root, field, "GET", "/version").json["Version"]
        made = past(root, field, "POST", "/v1.41/containers/create?name=past", {"Image": IMAGE, "Cmd": ["sleep", "9"]})
        assert made.status == 201
        assert not field.seen(made.json["Id"])["Config"]["Labels"].get("ds01.owner.uid")
        person = people.person(root.person.login, DOCKER_HOST=f"unix://{opened.socket}")
        assert person.run("docker", "start", "past").code == 0
        assert person.run("docker", "exec", "-i", "past", "cat", given="in\n").out == "in\n"
        assert victim.id[:12] in person.run("docker", "ps").out
        assert person.run("docker", "rm", "-f", "past").code == 0
    finally:
        as_(root, field, "close_glass")
    assert past(root, field, "GET", "/version").status == 403
    wait(lambda: any(each.get("method") == "DELETE" for each in told(field, "door.glass")))
    found = told(field, "door.glass")
    assert any(each.get("until") and each["reason"] == REASON for each in found)
    asked = [each for each in found if each.get("path")]
    assert {each["reason"] for each in asked} == {REASON}
    assert any(each["path"].startswith("/v1.41/containers/create") for each in asked)
    assert found[-1].get("what") == "closed" or found[-2].get("what") == "closed"


def test_the_gateway_only_watches_while_the_admin_wants_it_and_says_so(
    root: User, mallory: User, field: Ground, victim: Victim
) -> None:
    limits = field.run / "limits.yaml"
    before = limits.read_text()
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    api = Client(str(field.run / "ds01d.sock"))
    limits.write_text(before.replace("docker: {", f'docker: {{observe_until: "{until}", '))
    try:
        wait(lambda: next(c for c in api.doctor().checks if c.name == "watching").state == "failed", 30)
        assert "ONLY WATCHES" in next(c for c in api.doctor().checks if c.name == "watching").text
        with people.acting_as(root.person):
            assert "ONLY WATCHES" in Client(api.socket).status().alarms[0]
        with people.acting_as(mallory.person):
            assert Client(api.socket).status().alarms == ()
        again(field)
        assert mallory.create(HostConfig={"Privileged": True}).status == 201
        made = mallory.create(HostConfig={"PidMode": "host", "Binds": ["/etc:/e"]})
        assert made.status == 201, made.body
        assert field.seen(made.json["Id"])["HostConfig"]["PidMode"] == "host"
        assert mallory.call("GET", f"/v1.41/containers/{victim.id}/json").status == 200
        assert mallory.docker("plugin", "ls").code == 0
        assert mallory.create("", "v1.41", Image="nowhere").status == 404
        assert ask(connected(field.gateway), "GET", "/v1.41/containers/json").status == 403
        wait(lambda: "create.namespaces" in {rule.rule for rule in as_(root, field, "door_report").rules})
        found = as_(root, field, "door_report")
        assert (found.observing, bool(found.until)) == (True, True)
        rule = next(each for each in found.rules if each.rule == "create.privileged")
        assert (rule.users, rule.times >= 1) == ((mallory.person.login,), True)
        assert rule.request.startswith("POST /containers/create")
        with pytest.raises(Ds01Error, match="Only admins"):
            as_(mallory, field, "door_report")
    finally:
        limits.write_text(before)
    wait(lambda: next(c for c in api.doctor().checks if c.name == "watching").state == "ok", 30)
    again(field)
    assert mallory.create(HostConfig={"Privileged": True}).status == 403
    assert as_(root, field, "door_report").observing is False


def test_d13_an_admin_takes_the_fence_down_and_it_stays_down_until_it_is_up(
    root: User, mallory: User, field: Ground
) -> None:
    assert as_(root, field, "fence").missing == ""
    with pytest.raises(Ds01Error, match="Only admins"):
        as_(mallory, field, "fence_down")
    down = as_(root, field, "fence_down")
    assert (down.down, "not as they should be" in down.missing) == (True, True)
    try:
        api = Client(str(field.run / "ds01d.sock"))
        assert "taken down by an admin" in next(c for c in api.doctor().checks if c.name == "isolation").text
        mallory.create("with-a-network")
        assert as_(root, field, "fence").missing != ""
    finally:
        up = as_(root, field, "fence_up")
    assert (up.down, up.missing) == (False, "")
