"""The user in the image: any uid, any login, any base with a shell; python and pip without ceremony."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dev import tiny

from ds01.domain.errors import Ds01Error
from ds01.domain.people import Uid, User
from tests.engine.projects.conftest import ADA, Bench, Desk

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module")
def plain(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image without packages."""
    return bench.build(Desk(tmp_path_factory.mktemp("desk")).project("plain", "python = []")).reference


def test_p1_python_and_pip_work_with_no_activation(bench: Bench, plain: str) -> None:
    for name in ("python", "pip", "pip3"):
        assert bench.inside(plain, f"command -v {name}") == f"/opt/ds01/env/bin/{name}"
    assert bench.docker("run", "--rm", plain, "python", "-c", "print(6 * 7)") == "42"
    assert bench.inside(plain, "bash -lc 'command -v python'") == "/opt/ds01/env/bin/python"
    assert "pip 2" in bench.inside(plain, "python -m pip --version")


def test_p1_pip_installs_without_root_and_it_vanishes_with_the_container(bench: Bench, plain: str) -> None:
    script = "pip install -q six==1.16.0 && python -c 'import six; print(six.__version__, six.__file__)'"
    told = bench.inside(plain, script)
    assert told.startswith("1.16.0 /opt/ds01/env/lib/")
    assert "No module named" in bench.inside(plain, "python -c 'import six' 2>&1 || true")


def test_p1_pip_works_by_exec_and_with_no_privileges_at_all(bench: Bench, plain: str) -> None:
    locked = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", f"{ADA.uid}:{ADA.gid}")
    container = bench.docker("run", "-d", *locked, plain, "sleep", "6000")
    try:
        bench.docker("exec", container, "pip", "install", "-q", "six")
        assert bench.docker("exec", container, "python", "-c", "import six; print('ok')") == "ok"
        assert bench.docker("exec", container, "sh", "-c", "echo $HOME") == "/home/h_baker"
    finally:
        bench.docker("rm", "-f", container)


def test_w3_a_directory_user_owns_what_she_makes(bench: Bench, plain: str, tmp_path: Path) -> None:
    os.chown(tmp_path, ADA.uid, ADA.gid)
    script = "id; touch /workspace/made ~/mine; cd /var/log; stat -c %s lastlog faillog 2>/dev/null || true"
    told = bench.inside(plain, script, "-v", f"{tmp_path}:/workspace")
    assert "uid=1722830498(h_baker) gid=1722830513(h_baker)" in told
    made = (tmp_path / "made").stat()
    assert (made.st_uid, made.st_gid) == (ADA.uid, ADA.gid)
    assert all(int(size) < 100_000 for size in told.split("\n")[1:] if size.isdigit())


def test_w4_caches_point_into_the_workspace(bench: Bench, plain: str) -> None:
    told = bench.inside(plain, "echo $HF_HOME $TORCH_HOME $PIP_CACHE_DIR $UV_CACHE_DIR").split()
    assert all(path.startswith("/workspace/.cache/") for path in told)
    assert len(told) == 4


@pytest.mark.parametrize(
    ("login", "uid", "gid", "name"),
    [
        ("204214@lab.lan", 1722830499, 1722830513, "u204214"),
        ("root@lab.lan", 1722830500, 1722830513, "uroot"),
        ("www", 33, 100, "www"),  # both ids are in the base already
        ("games", 4000, 4000, "games"),  # the name is in the base already
        ("root", 0, 0, "root"),
    ],
)
def test_odd_logins_and_ids_the_base_has_already(
    bench: Bench, desk: Desk, login: str, uid: int, gid: int, name: str
) -> None:
    owner = User(uid=Uid(uid), gid=gid, login=login, home="/")
    image = bench.build(desk.project("odd", "python = []"), owner=owner).image_id
    told = bench.inside(image, "id -u; id -g; id -un; echo $HOME; test -w /opt/ds01/env && test -w ~ && echo mine")
    home = "/root" if uid == 0 else f"/home/{name}"
    assert told.split() == [str(uid), str(gid), name, home, "mine"]
    assert bench.inside(image, "head -c 0 /etc/shadow; getent passwd root | cut -d: -f3", "--user", "0") == "0"


def test_a_base_without_python_or_useradd_is_told_in_a_sentence(bench: Bench, desk: Desk) -> None:
    tiny.install(bench.socket)
    with pytest.raises(Ds01Error) as failed:
        bench.build(desk.project("tiny", "base = 'ds01/tiny:latest'"))
    assert "the base has no Python" in failed.value.problem.message
    assert "the Python environment" in failed.value.problem.reason  # so the account before it was made
