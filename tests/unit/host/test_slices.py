"""The cgroup of a user: its name never comes from a login, its limits are those of all her containers together."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from ds01.adapters.host.slices import Slices
from ds01.domain.errors import CONTAINER_QUOTA, INTERNAL, Ds01Error
from ds01.domain.people import Uid, User

GIB = 1024**3
BAKER = User(uid=Uid(1_722_830_498), gid=1, login="h.baker@lab.lan", home="")
LIMITS = {"cpus": 2.5, "memory": 3 * GIB, "pids": 512}


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    """A tree of files like the second version of cgroups."""
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("memory\n")
    return tmp_path


@pytest.fixture
def by_controller(tmp_path: Path) -> Path:
    """A tree of files like the first version."""
    for controller in ("cpu", "memory", "pids"):
        (tmp_path / controller).mkdir()
    return tmp_path


class TestCgroupfs:
    def test_e31_the_parent_is_named_by_uid(self, unified: Path) -> None:
        assert Slices("cgroupfs", unified).ensure(BAKER, {}) == "/ds01-u1722830498.slice"

    def test_the_second_version_gets_all_limits(self, unified: Path) -> None:
        Slices("cgroupfs", unified).ensure(BAKER, LIMITS)
        folder = unified / BAKER.slice
        read = {name: (folder / name).read_text() for name in ("cpu.max", "memory.max", "pids.max")}
        assert read == {"cpu.max": "250000 100000", "memory.max": str(3 * GIB), "pids.max": "512"}
        assert (unified / "cgroup.subtree_control").read_text() == "+cpu +pids"

    def test_no_aggregate_lifts_the_limits_of_before(self, unified: Path) -> None:
        Slices("cgroupfs", unified).ensure(BAKER, LIMITS)
        Slices("cgroupfs", unified).ensure(BAKER, {"cpus": None})
        folder = unified / BAKER.slice
        read = {name: (folder / name).read_text() for name in ("cpu.max", "memory.max", "pids.max")}
        assert read == {"cpu.max": "max 100000", "memory.max": "max", "pids.max": "max"}

    @pytest.mark.parametrize("version", ["unified", "by_controller"])
    def test_limits_are_written_again_only_where_they_may_be_others(
        self, version: str, request: pytest.FixtureRequest
    ) -> None:
        root: Path = request.getfixturevalue(version)
        folder = root / BAKER.slice if version == "unified" else root / "pids" / BAKER.slice
        slices, limit = Slices("cgroupfs", root), folder / "pids.max"
        slices.ensure(BAKER, LIMITS)
        limit.write_text("as it was")
        slices.ensure(BAKER, LIMITS)
        assert limit.read_text() == "as it was"
        slices.ensure(BAKER, LIMITS | {"pids": 7})
        assert limit.read_text() == "7"
        held = folder.rename(folder.with_name("before"))  # its number stays in use
        slices.ensure(BAKER, LIMITS | {"pids": 7})
        assert limit.read_text() == "7"
        assert held.is_dir()

    def test_the_first_version_gets_all_limits(self, by_controller: Path) -> None:
        Slices("cgroupfs", by_controller).ensure(BAKER, LIMITS)
        cpu, memory, pids = (by_controller / name / BAKER.slice for name in ("cpu", "memory", "pids"))
        assert (cpu / "cpu.cfs_period_us").read_text() == "100000"
        assert (cpu / "cpu.cfs_quota_us").read_text() == "250000"
        assert (memory / "memory.limit_in_bytes").read_text() == str(3 * GIB)
        assert (pids / "pids.max").read_text() == "512"

    def test_the_first_version_without_limits(self, by_controller: Path) -> None:
        Slices("cgroupfs", by_controller).ensure(BAKER, {})
        cpu, memory, pids = (by_controller / name / BAKER.slice for name in ("cpu", "memory", "pids"))
        assert (cpu / "cpu.cfs_quota_us").read_text() == "-1"
        assert (memory / "memory.limit_in_bytes").read_text() == "-1"
        assert (pids / "pids.max").read_text() == "max"

    def test_a_missing_controller_is_a_sentence(self, tmp_path: Path) -> None:
        with pytest.raises(Ds01Error, match=r"cgroup of h\.baker@lab\.lan cannot be made") as caught:
            Slices("cgroupfs", tmp_path).ensure(BAKER, LIMITS)
        assert caught.value.kind is INTERNAL


SYSTEMCTL = """
    #!{python}
    import sys
    with open({log!r}, "a") as log:
        log.write(" ".join(sys.argv[1:]) + chr(10))
    sys.exit({code})
"""


class TestSystemd:
    """Through systemctl; here a program of that name that writes down what it was told."""

    def run(self, tmp_path: Path, code: int = 0, limits: str = repr(LIMITS)) -> tuple[str, list[str]]:
        log = tmp_path / "log"
        program = tmp_path / "systemctl"
        program.write_text(textwrap.dedent(SYSTEMCTL).strip().format(python=sys.executable, log=str(log), code=code))
        program.chmod(0o755)
        words = (
            "from ds01.adapters.host.slices import Slices; from ds01.domain.people import User, Uid;"
            "from ds01.domain.errors import Ds01Error\n"
            "slices, user = Slices('systemd'), User(uid=Uid(1001), gid=1, login='x', home='')\n"
            f"try: print(slices.ensure(user, {limits}) and slices.ensure(user, {limits}))\n"
            "except Ds01Error as error: print(error.problem.message)\n"
        )
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        ran = subprocess.run([sys.executable, "-c", words], env=environment, capture_output=True, text=True, check=True)
        return ran.stdout.strip(), log.read_text().splitlines()

    def test_e31_the_unit_is_the_parent_and_told_once(self, tmp_path: Path) -> None:
        parent, told = self.run(tmp_path)
        assert parent == "ds01-u1001.slice"
        assert told == [
            "start ds01-u1001.slice",
            "set-property --runtime ds01-u1001.slice CPUQuota=250% MemoryMax=3221225472 TasksMax=512",
        ]

    def test_no_aggregate_lifts_the_limits_of_before(self, tmp_path: Path) -> None:
        _, told = self.run(tmp_path, limits="{}")
        assert told[1] == "set-property --runtime ds01-u1001.slice CPUQuota= MemoryMax=infinity TasksMax=infinity"

    def test_a_refusal_is_a_sentence(self, tmp_path: Path) -> None:
        said, _ = self.run(tmp_path, code=1)
        assert said == "The user's slice cannot be made by systemd."


@pytest.mark.root
class TestKernel:
    """On this machine's own cgroups."""

    @pytest.fixture
    def user(self) -> Iterator[User]:
        user = User(uid=Uid(1_722_000_000 + os.getpid()), gid=1, login="x", home="")
        yield user
        for folder in Path("/sys/fs/cgroup").glob(f"**/{user.slice}"):
            folder.rmdir()

    def folders(self, user: User) -> list[Path]:
        root = Path("/sys/fs/cgroup")
        return [root / user.slice] if (root / "cgroup.controllers").exists() else list(root.glob(f"*/{user.slice}"))

    def pids(self, user: User) -> set[str]:
        files = [folder / "pids.max" for folder in self.folders(user)]
        return {file.read_text().strip() for file in files if file.exists()}

    def test_limits_are_the_kernels(self, user: User) -> None:
        slices = Slices("cgroupfs")
        slices.ensure(user, LIMITS)
        slices.ensure(user, LIMITS)
        assert self.pids(user) == {"512"}
        slices.ensure(user, {})
        assert self.pids(user) == {"max"}

    def test_a_limit_below_what_is_used_is_a_sentence_or_holds_at_once(self, user: User) -> None:
        """The first version of cgroups refuses it, the second takes the memory back."""
        slices = Slices("cgroupfs")
        slices.ensure(user, {})
        (memory,) = [folder for folder in self.folders(user) if list(folder.glob("memory.*"))]
        hold = "import sys; held = bytearray(b'x' * 2**26); print(flush=True); sys.stdin.read()"
        hog = subprocess.Popen(
            ["sh", "-c", f'echo $$ > {memory}/cgroup.procs; exec "$0" -c "$1"', sys.executable, hold],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert hog.stdout is not None
        hog.stdout.readline()
        try:
            if (memory / "memory.max").exists():
                slices.ensure(user, {"memory": 2**20})
                assert (memory / "memory.max").read_text().strip() == str(2**20)
            else:
                with pytest.raises(Ds01Error) as caught:
                    slices.ensure(user, {"memory": 2**20})
                assert caught.value.kind is CONTAINER_QUOTA
        finally:
            hog.communicate()
