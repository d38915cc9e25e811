"""From a server with Docker to one with DS01, through a weekend of upgrades and reboots, and back.

The tests stand in the order of that story and share one server.
"""

from __future__ import annotations

import json
import re

import pytest

from tests.engine.server.conftest import DAEMON_JSON, MARIA, TOM, Lab

pytestmark = [pytest.mark.root, pytest.mark.engine, pytest.mark.slow]

BATCH = ("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new")
"""Ask nothing; a new server's key is taken, as by whoever types yes."""
BROKEN = "defaults: {cpus: many}\n"


# Before ----------------------------------------------------------------------------------------------------
def test_the_plan_says_everything_and_does_nothing(bare: Lab) -> None:
    pids = bare.pids()
    plan = json.loads(bare.install("--dry-run", "--json").out)
    assert plan["done"] is False
    assert plan["stops"] == ["grafana"]
    assert "docker.service" in plan["restarts"]
    assert "/etc/docker/daemon.json" in {change["path"] for change in plan["changes"]}
    assert (bare.files(), bare.pids()) == (bare.before, pids)


def test_nobody_but_root_installs(bare: Lab) -> None:
    assert "Only root" in bare.by(MARIA, "/opt/ds01/bin/ds01", "install", code=5).err
    assert "Only root" in bare.by(MARIA, "/opt/ds01/bin/ds01", "uninstall", code=5).err


def test_hosts_in_the_engines_file_are_somebodys_and_refused(bare: Lab) -> None:
    bare.root("sh", "-c", 'echo \'{"hosts": ["fd://"]}\' > /etc/docker/daemon.json')
    refused = bare.install("--yes", code=1)
    bare.root("sh", "-c", f"echo '{DAEMON_JSON.strip()}' > /etc/docker/daemon.json")
    assert "'hosts'" in refused.err
    assert bare.files() == bare.before


def test_what_fails_the_first_time_is_put_back(bare: Lab) -> None:
    """The limits file is there already and has a mistake in it, so ds01d does not start."""
    bare.root("sh", "-c", f"mkdir /etc/ds01; echo '{BROKEN}' > /etc/ds01/limits.yaml")
    failed = bare.install("--yes", code=1)
    assert "ds01d" in failed.err
    assert bare.root("cat", "/etc/ds01/limits.yaml").out.strip() == BROKEN.strip()
    bare.root("rm", "-r", "/etc/ds01")
    assert bare.files() == bare.before
    assert "grafana" in bare.by(MARIA, "docker", "ps").out


# Friday ----------------------------------------------------------------------------------------------------
def test_where_people_use_docker_it_only_watches_at_first_and_says_whom_it_would_meet(lab: Lab) -> None:
    held = {check["name"]: check for check in json.loads(lab.root("ds01", "doctor", "--json", code=1).out)["checks"]}
    assert [name for name, check in held.items() if check["state"] == "failed"] == ["watching"]
    assert lab.by(MARIA, "docker", "run", "--rm", "-v", "/:/host", "mine", "/busybox", "ls", "/host").out
    assert "create.mounts" in lab.root("ds01", "admin", "door", "report").out


# Monday ----------------------------------------------------------------------------------------------------
def test_after_installing_no_check_of_the_doctor_fails(monday: Lab) -> None:
    found = {
        check["name"]: check for check in json.loads(monday.root("ds01", "doctor", "--json", code=None).out)["checks"]
    }
    assert [name for name, check in found.items() if check["state"] == "failed"] == []
    well = ("engine-socket", "gateway", "guard", "usual-socket", "other-engines", "builder", "watching", "ledger")
    assert {name: found[name]["state"] for name in well} == dict.fromkeys(well, "ok")


def test_plain_docker_works_with_nothing_set_and_is_policed(monday: Lab) -> None:
    assert monday.by(MARIA, "docker", "run", "--rm", "mine", "/busybox", "id", "-u").out.strip() == "0"
    assert (
        "create.privileged" in monday.by(MARIA, "docker", "run", "--privileged", "mine", "/busybox", "id", code=125).err
    )
    assert "create.mounts" in monday.by(MARIA, "docker", "run", "-v", "/:/host", "mine", "/busybox", "id", code=125).err
    assert "grafana" not in monday.by(MARIA, "docker", "ps", "--all").out


def test_others_than_the_group_docker_do_not_get_in(monday: Lab) -> None:
    assert "permission denied" in monday.by(TOM, "docker", "ps", code=1).err
    for socket in ("/run/ds01/engine/docker.sock", "/run/containerd/containerd.sock"):
        monday.by(MARIA, "test", "-w", socket, code=1)


def test_roots_own_containers_go_on(monday: Lab) -> None:
    assert "grafana" in monday.engine("ps").out
    assert "-H unix:///run/ds01/engine/docker.sock" in monday.root("docker", "ps", code=1).err
    assert "grafana" in monday.root("bash", "--login", "-c", "docker ps").out


def test_the_names_of_the_command_line_and_tab_are_there(monday: Lab) -> None:
    assert "DS01" in monday.by(TOM, "ds01", "--help").out
    monday.by(TOM, "container-list", "--json")
    typed = "COMP_WORDS=(ds01 laun); COMP_CWORD=1; _ds01; echo ${COMPREPLY[@]}"
    assert monday.by(MARIA, "bash", "-c", f". /etc/bash_completion.d/ds01; {typed}").out.strip() == "launch"


def test_the_first_student_gets_a_container_with_a_gpu(monday: Lab) -> None:
    monday.root("ds01", "admin", "image", "minimal", "--from", "/srv/minimal.tar")
    monday.by(MARIA, "sh", "-c", "cd && ds01 init thesis --type blank --no-input")
    monday.by(MARIA, "sh", "-c", "cd && ds01 launch thesis --gpus 1 --background --yes")
    inside = "id -un; nvidia-smi -L; echo hers > /workspace/result"
    said = monday.by(MARIA, "ds01", "exec", "thesis", "--", "sh", "-c", inside).out.splitlines()
    assert said[0] == MARIA
    assert sum("GPU-" in line for line in said) == 1
    assert monday.by(MARIA, "sh", "-c", "cat ~/workspace/thesis/result").out == "hers\n"
    monday.by(MARIA, "ds01", "retire", "thesis", "--yes")


def test_a_laptop_comes_in_by_what_setup_wrote_and_ssh_config_printed(monday: Lab) -> None:
    """The server's own sshd as Debian sets it up; Tom's account stands for Maria's laptop."""
    settings = monday.root("sshd", "-T").out
    assert "strictmodes yes" in settings
    assert "authorizedkeysfile .ssh/authorized_keys" in settings
    monday.by(TOM, "sh", "-c", "umask 077; mkdir -p ~/.ssh && ssh-keygen -qt ed25519 -N '' -f ~/.ssh/id_ed25519")
    key = monday.by(TOM, "sh", "-c", "cat ~/.ssh/id_ed25519.pub").out.strip()
    monday.by(TOM, "ssh", *BATCH, f"{MARIA}@lab", "true", code=255)
    monday.by(MARIA, "ds01", "setup", "--key", key, "--no-input")
    assert monday.by(TOM, "ssh", *BATCH, f"{MARIA}@lab", "id -un; command -v ds01").out.split() == [
        MARIA, "/usr/local/bin/ds01",
    ]  # fmt: skip
    monday.by(MARIA, "sh", "-c", "cd && ds01 launch thesis --gpus 1 --background --yes")
    block = monday.by(MARIA, "ds01", "ssh-config", "--server", "lab", "--quiet").out
    monday.server.run("sh", "-c", "cat > ~/.ssh/config", user=TOM, given=block)
    said = monday.by(TOM, "ssh", *BATCH, "thesis.ds01", "id; cat /workspace/result; nvidia-smi -L").out
    assert f"({MARIA})" in said.splitlines()[0]
    assert "hers\n" in said
    assert said.count("GPU-") == 1
    monday.by(MARIA, "ds01", "retire", "thesis", "--yes")


def test_sshd_takes_no_key_of_a_home_others_write_to_and_setup_says_so(monday: Lab) -> None:
    monday.by(MARIA, "sh", "-c", "chmod o+w ~")
    monday.by(TOM, "ssh", *BATCH, f"{MARIA}@lab", "true", code=255)
    key = monday.by(TOM, "sh", "-c", "cat ~/.ssh/id_ed25519.pub").out.strip()
    told = monday.by(MARIA, "ds01", "setup", "--key", key, "--no-input", code=None)
    assert told.code != 0
    assert "Others may write in" in told.err
    mend = re.search(r"chmod go-w \S+(?=,)", told.err)
    assert mend is not None
    monday.by(MARIA, *mend[0].split())
    monday.by(TOM, "ssh", *BATCH, f"{MARIA}@lab", "true")


def test_sshd_takes_the_key_of_a_home_her_own_group_writes_to_and_setup_gives_it(monday: Lab) -> None:
    """Debian's sshd asks whether she is alone in the group, and so does ``ds01 setup``: both sides of that are here."""
    key = monday.by(TOM, "sh", "-c", "cat ~/.ssh/id_ed25519.pub").out.strip()
    monday.by(MARIA, "sh", "-c", "chmod g+w ~; rm ~/.ssh/authorized_keys")
    try:
        monday.by(MARIA, "ds01", "setup", "--key", key, "--no-input")
        monday.by(TOM, "ssh", *BATCH, f"{MARIA}@lab", "true")
        monday.root("gpasswd", "-a", TOM, monday.by(MARIA, "id", "-gn").out.strip())
        monday.by(TOM, "ssh", *BATCH, f"{MARIA}@lab", "true", code=255)
        told = monday.by(MARIA, "ds01", "setup", "--key", key, "--no-input", code=None)
        assert "chmod go-w " in told.err
    finally:
        monday.root("gpasswd", "-d", TOM, monday.by(MARIA, "id", "-gn").out.strip(), code=None)
        monday.by(MARIA, "sh", "-c", "chmod g-w ~")


def test_a_second_time_there_is_nothing_to_do(monday: Lab) -> None:
    before = monday.files(), monday.pids()
    again = json.loads(monday.install("--json").out)
    assert (again["done"], again["changes"], again["restarts"], again["accounts"]) == (True, [], [], [])
    assert (monday.files(), monday.pids()) == before


def test_a_unit_somebody_changed_is_put_right_and_the_change_kept(monday: Lab) -> None:
    unit, before = "/etc/systemd/system/ds01d.service", monday.pids()
    monday.root("sh", "-c", f"echo '# mine' >> {unit}")
    monday.install("--yes")
    assert monday.root("tail", "-n", "1", f"{unit}.edited").out == "# mine\n"
    monday.root("rm", f"{unit}.edited")
    after = monday.pids()
    assert {name for name in before if before[name] != after[name]} == {"ds01d.service"}


# Upgrades and faults -----------------------------------------------------------------------------------------
def test_the_gateway_is_killed_and_nobody_is_turned_away(agent: Lab) -> None:
    """Who comes meanwhile waits, and the socket in a container is the same one as before."""
    own = f"/run/ds01/u/{agent.by(MARIA, 'id', '-u').out.strip()}-1/docker.sock"
    kept = agent.root("stat", "--format", "%i", own).out
    for how in (("kill", "--signal", "KILL"), ("restart",)):
        agent.root("systemctl", *how, "ds01-gateway.service")
        assert "agent" in agent.by(MARIA, "docker", "ps").out
        assert agent.root("stat", "--format", "%i", own).out == kept
        assert "agent" in agent.root("docker", "-H", f"unix://{own}", "ps").out


def test_ds01d_is_killed_and_containers_go_on(agent: Lab) -> None:
    before = agent.pids()["ds01d.service"]
    agent.root("systemctl", "kill", "--signal", "KILL", "ds01d.service")
    agent.root("sh", "-c", "until ds01 status --quiet >/dev/null 2>&1; do sleep 0.2; done")
    assert agent.pids()["ds01d.service"] != before
    assert "agent" in agent.by(MARIA, "docker", "ps").out


def test_an_upgrade_of_the_engines_package_keeps_the_takeover(monday: Lab) -> None:
    monday.root("sh", "-c", "apt-get install --yes --reinstall /srv/docker.io_*.deb")
    monday.root("systemctl", "restart", "docker.socket", "docker.service")
    assert (
        "create.privileged" in monday.by(MARIA, "docker", "run", "--privileged", "mine", "/busybox", "id", code=125).err
    )
    assert monday.by(MARIA, "docker", "run", "--rm", "mine", "/busybox", "echo", "well").out == "well\n"
    assert json.loads(monday.install("--json").out)["changes"] == []


def test_w1_after_a_reboot_all_is_back(agent: Lab) -> None:
    agent.server.reboot()
    assert agent.by(MARIA, "sh", "-c", "cat ~/workspace/thesis/result").out == "hers\n"
    assert "agent" in agent.by(MARIA, "docker", "ps", "--all").out
    agent.by(MARIA, "docker", "start", "agent")
    assert agent.by(MARIA, "docker", "run", "--rm", "mine", "/busybox", "echo", "well").out == "well\n"
    assert "grafana" in agent.engine("ps").out
    assert json.loads(agent.install("--json").out)["restarts"] == []
    agent.root("sh", "-c", "for i in $(seq 60); do ds01 doctor >/dev/null && exit; sleep 1; done; exit 1")
    assert json.loads(agent.root("ds01", "doctor", "--json").out)["healthy"] is True


def test_the_way_beside_ds01_is_closed_and_the_admins_own_slice_is_open(monday: Lab) -> None:
    beside = ("docker", "-H", "unix:///run/ds01/engine/docker.sock", "run", "--rm")
    monday.root(*beside, "base", "/busybox", "true")
    monday.install("--yes", "--outside", "refused")
    assert "DS01" in monday.root(*beside, "base", "/busybox", "true", code=125).err
    facts = json.loads(monday.root("cat", "/var/lib/ds01/guard/server.json").out)
    monday.root(*beside, "--cgroup-parent", facts["admin_slice"], "base", "/busybox", "true")
    assert monday.by(MARIA, "docker", "run", "--rm", "mine", "/busybox", "echo", "well").out == "well\n"


# And off again ---------------------------------------------------------------------------------------------
def test_uninstalled_everything_is_as_it_was_and_nothing_is_lost(agent: Lab) -> None:
    agent.by(MARIA, "sh", "-c", "mkdir -p ~/workspace/own; echo hers > ~/workspace/own/result")
    plan = agent.root("ds01", "uninstall", "--dry-run").out
    assert "Containers that run now" in plan
    assert "ends, and comes back if its restart policy says so" in plan
    agent.root("ds01", "uninstall", "--yes")
    left = agent.files()
    kept = {path: left.pop(path) for path in list(left) if path.startswith("/etc/ds01")}
    assert left == agent.before
    assert set(kept) == {"/etc/ds01", "/etc/ds01/limits.yaml"}, "she changed it"
    assert agent.root("cat", "/etc/docker/daemon.json").out == DAEMON_JSON
    assert "grafana" in agent.by(MARIA, "docker", "ps").out
    assert "agent" in agent.root("docker", "ps", "--all").out
    assert agent.by(MARIA, "docker", "run", "--rm", "-v", "/:/host", "mine", "/busybox", "ls", "/host").out
    assert agent.by(MARIA, "sh", "-c", "cat ~/workspace/own/result").out == "hers\n"
    agent.root("test", "-e", "/var/lib/ds01/ledger.db")
    assert "DS01" not in agent.root("sh", "-c", "iptables -S; ip6tables -S || true").out
    assert agent.root("systemctl", "--failed", "--no-legend").out == ""


def test_there_is_nothing_to_take_off_twice(monday: Lab) -> None:
    assert "not installed" in monday.root("/opt/ds01/bin/ds01", "uninstall").err
