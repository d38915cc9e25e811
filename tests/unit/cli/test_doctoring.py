"""The support report gives nothing away, and the doctor mends only what is the caller's own."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.cli.doctoring import own
from ds01.cli.doctoring.redact import redact
from ds01.wire.status import CheckView, DoctorView, EventView, LimitsView, LimitView, PingView
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Daemon

SECRETS = {
    "env": "correct-horse-battery",
    "shell": "wandb-key-0123456789",
    "hugging": "hf_AbCdEfGhIjKlMnOpQrStUv",
    "github": "ghp_0123456789abcdefABCDEF0123456789abcd",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "jupyter": "zu6h9iv5qTj2LzgPfCWSvEQO4ZPUH9Es6nTeThY2A4c",
    "password": "hunter2 and more",
    "url": "alice:s3cr3t",
    "bearer": "abcdef.ghijkl",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "pem": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    "ssh": "AAAAC3NzaC1lZDI1NTE5AAAAIKfG0c",
    "mail": "carol.jones@lab.example",
    "address": "10.1.2.3",
}
PEOPLE = ("bob.martin", "h.baker@lab.lan")

PROJECT = f"""
[project]
name = "thesis"
[run]
env = {{MODE = "{SECRETS["env"]}", N = "1"}}
# password: {SECRETS["password"]}
on_stop = "curl -H 'Authorization: Bearer {SECRETS["bearer"]}' https://{SECRETS["url"]}@host/x?token={SECRETS["jupyter"]}"
"""

LOG = f"""ds01 launch thesis --env HF_TOKEN={SECRETS["hugging"]}
-----BEGIN PRIVATE KEY-----
{SECRETS["pem"]}
-----END PRIVATE KEY-----
ssh-ed25519 {SECRETS["ssh"]} carol
{SECRETS["jwt"]} {SECRETS["github"]} {SECRETS["aws"]} {SECRETS["env"]} {SECRETS["shell"]}
RuntimeError: it broke
"""


def planted(daemon: Daemon, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets wherever a report looks."""
    folder = home / "workspace/thesis"
    folder.mkdir(parents=True)
    (folder / "ds01.toml").write_text(PROJECT)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("WANDB_API_KEY", SECRETS["shell"])
    (home / ".state/ds01").mkdir(parents=True)
    (home / ".state/ds01/ds01-0000.log").write_text(LOG)
    text = f"{PEOPLE[0]} took GPU 0 from {PEOPLE[1]} at {SECRETS['address']}; ask {SECRETS['mail']}."
    event = EventView(
        seq=1, at="2026-11-26T08:00:00+00:00", type="lease.granted", actor=PEOPLE[0], user=PEOPLE[1], subject="x",
        outcome="done", details={}, text=text,
    )  # fmt: skip
    check = CheckView(name="disk", state="warning", text=f"{PEOPLE[0]} has 900 GB", fix="Free some space.")
    daemon.answers |= {
        ("GET", "/v1/ping"): PingView(version="1.2.3", simulated_gpus=True, engine="26.1", login="me"),
        ("GET", "/v1/doctor"): DoctorView(checks=(check,), healthy=True),
        ("GET", "/v1/containers"): [],
        ("GET", "/v1/limits"): LimitsView(
            login="me", group="student", admin=False, limits=(LimitView(key="gpus.max", value="1", source="x"),)
        ),
        ("GET", "/v1/events"): [event],
    }  # fmt: skip


def test_a_report_has_what_helps_and_no_secret(
    ds01: Run, daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted(daemon, tmp_path, monkeypatch)
    said = ds01("doctor", "--report").out
    for secret in (*SECRETS.values(), *PEOPLE, "carol", str(tmp_path)):
        assert secret not in said, secret
    for kept in ("version 1.2.3", "warning: disk:", "gpus.max: 1", "lease.granted", "took GPU 0", "it broke", "thesis"):
        assert kept in said, kept


def test_a_report_is_made_without_ds01d_too(ds01: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = ds01("doctor", "--report")
    assert ran.code == 0
    assert "ds01d does not answer" in ran.out
    assert "Python 3" in ran.out


@given(st.sampled_from(sorted(SECRETS)), st.sampled_from(["{}", "x {} y", '"{}"', "({})", "a\n{}\nb"]))
def test_what_is_known_is_taken_out_wherever_it_stands(name: str, around: str) -> None:
    assert SECRETS[name] not in redact(around.format(SECRETS[name]), values=SECRETS.values())


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("ds01 run -e PGPASS=hunter2", "ds01 run -e PGPASS=[hidden]"),
        ("ds01 run -ePGPASS=hunter2 --gpus 1", "ds01 run -ePGPASS=[hidden] --gpus 1"),
        ("ds01 run --env PGPASS=hunter2 and more -v x", "ds01 run --env PGPASS=[hidden] -v x"),
        ("ds01 run --env='PGPASS=hunter2 x'\nnext", "ds01 run --env='PGPASS=[hidden]\nnext"),
        ("docker run -e A=hunter2 -e B=hunter2 -e C", "docker run -e A=[hidden] -e B=[hidden] -e C"),
        ("ds01 run -e API_TOKEN=hunter2 and more -v x", "ds01 run -e API_TOKEN=[hidden] -v x"),
        ("ds01 run -e A=-----BEGIN KEY-----\nx\n-----END KEY----- -v x", "ds01 run -e A=[hidden] -v x"),
        ("a line-e of no A=option", "a line-e of no A=option"),
    ],
)
def test_a_variable_of_a_command_line_keeps_its_name_only(line: str, shown: str) -> None:
    assert redact(line) == shown
    assert redact(shown) == shown


def test_a_name_within_a_word_is_no_person() -> None:
    told = redact("ana has banana and ana-2; ana.", people={"ana": "[user 1]"})
    assert told == "[user 1] has banana and ana-2; [user 1]."


def test_own_things_are_mended_after_they_were_said(
    ds01: Run, daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ssh").mkdir(mode=0o775)
    (tmp_path / ".ssh").chmod(0o775)
    token = tmp_path / ".state/ds01/editors/thesis-jupyter.json"
    token.parent.mkdir(parents=True)
    token.write_text("{}")
    token.chmod(0o644)
    folder = tmp_path / "workspace/thesis/.ds01"
    folder.mkdir(parents=True)
    (folder.parent / "ds01.toml").write_text("")
    with socket.socket(socket.AF_UNIX) as dead, socket.socket(socket.AF_UNIX) as alive:
        for one, name in ((dead, "a.sock"), (alive, "b.sock")):
            monkeypatch.chdir(folder)
            one.bind(name)
        alive.listen()
        dead.close()
        looked = ds01("doctor", "--fix", "--dry-run")
        assert "Nothing was changed" in looked.err
        assert stat.S_IMODE(token.stat().st_mode) == 0o644
        ran = ds01("doctor", "--fix", "--yes")
        assert sorted(path.name for path in folder.iterdir()) == ["b.sock"]
        assert "Nothing of yours needs mending" in ds01("doctor", "--fix", "--yes").err
    assert ran.err.count("Mended.") == 3
    assert "chmod 600" in ran.err
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / ".ssh").stat().st_mode) == 0o755


def test_links_and_what_belongs_to_others_are_left_alone(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    aim = tmp_path / "aim"
    aim.mkdir()
    aim.chmod(0o777)
    (tmp_path / ".ssh").symlink_to(aim)
    ds01("doctor", "--fix", "--yes")
    assert stat.S_IMODE(aim.stat().st_mode) == 0o777


@pytest.mark.parametrize("instead", ["link", "wider", "another", "gone", "fifo"])
def test_what_was_exchanged_after_the_question_is_left_alone(tmp_path: Path, instead: str) -> None:
    aim, keys = tmp_path / "aim", tmp_path / ".ssh/authorized_keys"
    keys.parent.mkdir(mode=0o700)
    for path in (aim, keys):
        path.write_text("")
        path.chmod(0o666)
    (asked,) = (each for each in own.to_mend(str(tmp_path)) if each.todo.endswith("authorized_keys"))
    if instead == "wider":
        keys.chmod(0o664)
    else:
        keys.rename(tmp_path / "moved")
    if instead == "link":
        keys.symlink_to(aim)
    elif instead == "another":
        aim.rename(keys)
        aim.write_text("")
    elif instead == "fifo":
        os.mkfifo(keys, 0o666)
    before = {path: stat.S_IMODE(path.lstat().st_mode) for path in (aim, *keys.parent.iterdir())}
    with pytest.raises(OSError, match=r"when you were asked|symbolic links|No such file"):
        asked.do()
    assert {path: stat.S_IMODE(path.lstat().st_mode) for path in before} == before


def test_a_socket_that_is_in_use_again_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "workspace/thesis/.ds01"
    folder.mkdir(parents=True)
    (folder.parent / "ds01.toml").write_text("")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind("a.sock")
    (asked,) = own.to_mend(str(tmp_path))
    (folder / "a.sock").unlink()
    with socket.socket(socket.AF_UNIX) as alive:
        alive.bind("a.sock")
        alive.listen()
        with pytest.raises(OSError, match="when you were asked"):
            asked.do()
    assert (folder / "a.sock").exists()


def test_without_a_terminal_nothing_is_mended_unasked(ds01: Run, daemon: Daemon, tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh").chmod(0o777)
    ran = ds01("doctor", "--fix")
    assert ran.code == 2
    assert "--yes" in ran.err
    assert stat.S_IMODE((tmp_path / ".ssh").stat().st_mode) == 0o777


def _wide_ssh(home: Path) -> None:
    (home / ".ssh").mkdir()
    (home / ".ssh").chmod(0o777)


def _open_token(home: Path) -> None:
    token = home / ".state/ds01/editors/thesis-jupyter.json"
    token.parent.mkdir(parents=True)
    token.write_text("{}")
    token.chmod(0o644)


def _dead_socket(home: Path) -> None:
    folder = home / "workspace/thesis/.ds01"
    folder.mkdir(parents=True)
    (folder.parent / "ds01.toml").write_text("")
    there = os.getcwd()
    with socket.socket(socket.AF_UNIX) as dead:
        os.chdir(folder)
        dead.bind("a.sock")
    os.chdir(there)


WRONG = {"ssh-rights": _wide_ssh, "secret-files": _open_token, "left-sockets": _dead_socket}
"""What each check is there for."""


def states(run: Run) -> dict[str, str]:
    found = json.loads(run("doctor", "--json").out)
    return {check["name"]: check["state"] for check in found["checks"] if check["name"] in WRONG}


def test_every_check_of_ones_own_is_tried_here() -> None:
    assert set(WRONG) == set(own.every())


@pytest.mark.parametrize("name", sorted(WRONG))
def test_each_mend_is_of_its_check_which_is_well_afterwards(
    ds01: Run, daemon: Daemon, tmp_path: Path, name: str
) -> None:
    daemon.answers["GET", "/v1/doctor"] = DoctorView(checks=(), healthy=True)
    assert set(states(ds01).values()) == {"ok"}
    WRONG[name](tmp_path)
    (mend,) = own.every()[name].look(str(tmp_path))
    assert [each.todo for each in own.to_mend(str(tmp_path))] == [mend.todo]
    assert {check for check, state in states(ds01).items() if state != "ok"} == {name}
    shown = ds01("doctor")
    assert mend.wrong.split()[0] in shown.out
    assert "ds01 doctor --fix" in shown.out
    assert ds01("doctor", "--fix", "--yes").code == 0
    assert set(states(ds01).values()) == {"ok"}
