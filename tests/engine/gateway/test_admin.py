"""Admins at the gateway: they see and act on everything, what they create is policed, and past it leads one way."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dev import people

from ds01.cli.main import run
from ds01.client.admin import Admin
from ds01.client.daemon import Client
from ds01.domain.errors import Ds01Error
from tests.engine.gateway.conftest import Victim
from tests.engine.gateway.ground import IMAGE, Ground, Reply, User, ask, connected, ended, wait

pytestmark = [pytest.mark.engine, pytest.mark.root]
REASON = "what the old system left behind"


@pytest.fixture(scope="module")
def root(field: Ground) -> Iterator[User]:
    """An account whom the limits file makes an admin."""
    login = f"ds01-gw-admin-{field.mallory.uid}"
    people.make(login)
    before = (field.run / "limits.yaml").read_text()
    with field.limited(f"{before}groups: {{ops: {{members: [{login}], admin: true}}}}\n"):
        assert Client(str(field.run / "ds01d.sock")).limits(user=login).admin
        yield User(person=people.person(login), gateway=field.gateway)
    people.remove(login)


def told(field: Ground, kind: str) -> list[dict[str, str]]:
    """The details of the events of a type."""
    with sqlite3.connect(f"file:{field.state}/ledger.db?mode=ro", uri=True) as ledger:
        rows = ledger.execute("select details from events where type = ? order by seq", (kind,)).fetchall()
    return [json.loads(text) for (text,) in rows]


def as_(user: User, field: Ground, method: str, *arguments: Any) -> Any:
    """Ask ds01d as this user."""
    with people.acting_as(user.person):
        return getattr(Admin(str(field.run / "ds01d.sock")), method)(*arguments)


def test_an_admin_is_told_that_what_she_lists_is_nobodys(root: User, mallory: User, field: Ground) -> None:
    made = field.root(
        "POST", "/v1.41/containers/create?name=old-one", {"Image": IMAGE, "HostConfig": {"Runtime": "runc"}}
    )
    for kind in ("volume", "network"):
        assert field.root("POST", f"/v1.41/{kind}s/create", {"Name": "old-one"}).status == 201
    try:
        assert (made.status, "old-one" in root.docker("ps", "-a").out) == (201, True)
        for kind in ("container", "volume", "network"):
            shown = root.docker(kind, "inspect", "old-one")
            assert f"The {kind} old-one is nobody's: it was made past DS01 (own.nobodys)." in shown.err, shown
            assert "ds01 admin door open" in shown.err
            assert "DS01" not in mallory.docker(kind, "inspect", "old-one").err
    finally:
        for path in ("containers", "volumes", "networks"):
            assert field.root("DELETE", f"/v1.41/{path}/old-one").status == 204


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


def test_an_admin_names_whose_it_is_and_reads_acts_and_leaves_a_word(
    root: User, mallory: User, alice: User, field: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    loud = mallory.create("loud", Cmd=["sh", "-c", "echo it works; exec sleep 10000"]).json["Id"]
    mallory.call("POST", f"/v1.41/containers/{loud}/start")

    def types(user: User, *words: str) -> people.Done:
        with people.acting_as(user.person):
            code = run([*words, "--user", mallory.person.login])
        said = capsys.readouterr()
        return people.Done(code=code, out=said.out, err=said.err, seconds=0)

    for name, place in {"DS01_SOCKET": str(field.run / "ds01d.sock"), "XDG_STATE_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, place)
    hers = ("--user", mallory.person.login)
    for words in (("logs", "loud"), ("container", "top", "loud"), ("list",), ("stop", "loud", "--dry-run"),
                  ("logs", "none"), ("remove", "loud", "--dry-run")):  # fmt: skip
        run([*words, *hers])  # what it imports is in a folder of root's
    capsys.readouterr()
    wait(lambda: types(root, "logs", "loud").out == "it works\n")
    assert "sleep 10000" in types(root, "container", "top", "loud").out
    assert "loud" in types(root, "list").out
    for words in (("logs", "loud"), ("stop", "loud"), ("list",)):
        refused = types(alice, *words)
        assert (refused.code, refused.out, "Only admins may" in refused.err) == (5, "", True)
    assert field.seen(loud)["State"]["Running"]
    stopped = types(root, "stop", "loud", "--force", "--reason", "too loud")
    assert stopped.code == 0, stopped.err
    assert not field.seen(loud)["State"]["Running"]
    with people.acting_as(mallory.person):
        story = Client(str(field.run / "ds01d.sock")).why("loud")
    assert f"loud was stopped by admin {root.person.login}: too loud." in [entry.what for entry in story.entries]
    removed = types(root, "remove", "loud", "--yes")
    assert (removed.code, loud in field.ids()) == (0, False), removed.err


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
    opened = max(at for at, each in enumerate(found) if each.get("until"))
    assert [each for each in found[opened:] if each.get("what") == "closed"]


def plant(mallory: User, alice: User) -> None:
    """What stays when the gateway is in force: one of each, under names that look like alice's."""
    asked = {"Privileged": True, "RestartPolicy": {"Name": "always"}}
    made = mallory.create("miner", HostConfig=asked)
    assert made.status == 201, made.body
    for repo in (f"ds01-u{alice.uid}/planted", f"ds01-{alice.uid}/planted"):
        assert mallory.call("POST", f"/v1.41/images/{IMAGE}/tag?repo={repo}&tag=1").status == 201
    labels = {"ds01.owner.uid": str(alice.uid), "ds01.owner.epoch": "1"}
    wanted = {"Name": f"vscode._.{alice.uid}", "Labels": labels, "DriverOpts": {"type": "tmpfs", "device": "tmpfs"}}
    assert mallory.call("POST", "/v1.41/volumes/create", wanted).status == 201


def stays(root: User, field: Ground, alice: User) -> list[str]:
    """What of it the report names."""
    named = ("container miner ", f"ds01-u{alice.uid}/planted:1", f"ds01-{alice.uid}/planted:1", f"vscode._.{alice.uid}")
    found: tuple[str, ...] = as_(root, field, "door_report").planted
    return [each for each in found if any(name in each for name in named)]


def remove_as_the_doctor_says(root: User, field: Ground, alice: User) -> None:
    with people.acting_as(root.person):
        checks = Client(str(field.run / "ds01d.sock")).doctor().checks
    said = next(check for check in checks if check.name == "planted").text
    for thing in stays(root, field, alice):
        removal = re.search(rf"{re.escape(thing)}: docker (.+?)\.(?: |$)", said)
        assert removal is not None, said
        docker = ["docker", "-H", f"unix://{field.engine.socket}", *removal[1].split()]
        assert subprocess.run(docker, capture_output=True, check=False).returncode == 0, removal[1]
    wait(lambda: stays(root, field, alice) == [])


def test_the_gateway_only_watches_while_the_admin_wants_it_and_says_so(
    root: User, mallory: User, alice: User, field: Ground, victim: Victim
) -> None:
    before = (field.run / "limits.yaml").read_text()
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    api = Client(str(field.run / "ds01d.sock"))
    with field.limited(before.replace("docker: {", f'docker: {{observe_until: "{until}", ')):
        wait(lambda: next(c for c in api.doctor().checks if c.name == "watching").state == "failed")
        assert "ONLY WATCHES" in next(c for c in api.doctor().checks if c.name == "watching").text
        with people.acting_as(root.person):
            assert "ONLY WATCHES" in Client(api.socket).status().alarms[0]
        with people.acting_as(mallory.person):
            assert Client(api.socket).status().alarms == ()
        wait(lambda: mallory.create(HostConfig={"Privileged": True}).status == 201)
        made = mallory.create(HostConfig={"PidMode": "host", "Binds": ["/etc:/e"]})
        assert made.status == 201, made.body
        assert field.seen(made.json["Id"])["HostConfig"]["PidMode"] == "host"
        assert mallory.call("GET", f"/v1.41/containers/{victim.id}/json").status == 200
        assert mallory.docker("plugin", "ls").code == 0
        assert mallory.create("", "v1.41", Image="nowhere").status == 404
        assert ask(connected(field.gateway), "GET", "/v1.41/containers/json").status == 403
        plant(mallory, alice)
        wait(lambda: "create.namespaces" in {rule.rule for rule in as_(root, field, "door_report").rules})
        found = as_(root, field, "door_report")
        assert (found.observing, bool(found.until)) == (True, True)
        rule = next(each for each in found.rules if each.rule == "create.privileged")
        assert (rule.users, rule.times >= 1) == ((mallory.person.login,), True)
        assert rule.request.startswith("POST /containers/create")
        with pytest.raises(Ds01Error, match="Only admins"):
            as_(mallory, field, "door_report")
    wait(lambda: next(c for c in api.doctor().checks if c.name == "watching").state == "ok")
    wait(lambda: mallory.create(HostConfig={"Privileged": True}).status == 403)
    assert as_(root, field, "door_report").observing is False
    wait(lambda: len(stays(root, field, alice)) == 4)
    assert "container miner is started again by the engine (always)" in stays(root, field, alice)
    assert alice.call("POST", "/v1.41/volumes/create", {"Name": "vscode"}).status == 409
    for name in ("planted:1", f"ds01-u{alice.uid}/planted:1", f"ds01-{alice.uid}/planted:1"):
        assert alice.call("GET", f"/v1.41/images/{name}/json").status == 404, name
        assert alice.create("", "v1.41", Image=name).status in (403, 404), name
    assert "planted" not in alice.docker("images").out
    remove_as_the_doctor_says(root, field, alice)


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


def test_who_is_no_admin_any_more_sees_no_more_of_another(root: User, field: Ground, victim: Victim) -> None:
    """The limits file says it: the streams she has in what is not hers end, her own goes on."""
    none = (field.run / "limits.yaml").read_text().replace("admin: true", "admin: false")
    with root.stream(root.runs("mine")) as own, root.stream(victim.id) as anothers, field.limited(none):
        wait(lambda: ended(anothers))
        wait(lambda: root.call("GET", f"/v1.41/containers/{victim.id}/json").status == 404)
        own.sendall(b"still\n")
        assert b"still" in own.recv(100)
    wait(lambda: root.call("GET", f"/v1.41/containers/{victim.id}/json").status == 200)
