"""Packages: what the project file says is what the image has."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from ds01.domain.errors import BUILD_FAILED, Ds01Error
from ds01.domain.labels import Label
from ds01.projects import file, prepare
from ds01.projects.build import inspect, labels
from tests.engine.projects.conftest import Bench, Desk, Index

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]

VERSIONS = (
    "import importlib.metadata as m, json; "
    "names = {d.metadata['Name'].lower() for d in m.distributions()}; "
    "print(json.dumps({name: m.version(name) for name in names}))"
)


def versions(bench: Bench, image: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(bench.docker("run", "--rm", image, "python", "-c", VERSIONS))
    return found


def test_c5_versions_extras_markers_and_included_files_are_honoured(bench: Bench, desk: Desk) -> None:
    folder = desk.project(
        "forms",
        "python = ['six>=1.15,<1.17', 'requests[socks]', \"tqdm; python_version < '3'\", '-r more/dev.txt']\n"
        "requirements = 'requirements.txt'",
        {
            "requirements.txt": "--prefer-binary\n-c pins.txt\nidna  # constrained\n",
            "pins.txt": "idna==3.6\n",
            "more/dev.txt": "colorama<0.4.6\n",
        },
    )
    found = versions(bench, bench.build(folder).image_id)
    assert (found["six"], found["idna"], found["colorama"]) == ("1.16.0", "3.6", "0.4.5")
    assert "pysocks" in found
    assert "tqdm" not in found


UV_LOCK = """\
version = 1
requires-python = ">=3.9"

[[package]]
name = "colorama"
version = "0.4.5"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "demo"
version = "0.1"
source = { virtual = "." }
dependencies = [{ name = "colorama", marker = "sys_platform == 'win32'" }, { name = "tqdm" }, { name = "six" }]

[[package]]
name = "six"
version = "1.15.0"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "tqdm"
version = "4.66.1"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "colorama", marker = "sys_platform == 'win32'" }]
"""
CONDA = "name: x\ndependencies:\n  - python=3.11\n  - six=1.15\n  - pip:\n    - idna==3.6\n    - -r more.txt\n"


def test_c5_a_lock_of_uv_and_a_conda_environment_are_honoured(bench: Bench, desk: Desk) -> None:
    locked = desk.project("locked", "requirements = 'uv.lock'", {"uv.lock": UV_LOCK})
    found = versions(bench, bench.build(locked).image_id)
    assert (found["six"], found["tqdm"], found.get("colorama")) == ("1.15.0", "4.66.1", None)
    conda = desk.project(
        "conda", "requirements = 'environment.yml'", {"environment.yml": CONDA, "more.txt": "colorama<0.4.6\n"}
    )
    found = versions(bench, bench.build(conda).image_id)
    assert (found["six"], found["idna"], found["colorama"]) == ("1.15.0", "3.6", "0.4.5")
    bench.docker("build", "-q", str(conda))


def test_c5_another_index_is_asked(bench: Bench, desk: Desk, index: Index) -> None:
    lines = [*index.options, "ds01-probe==1.0"]
    assert versions(bench, bench.build(desk.project("index", f"python = {lines}")).image_id)["ds01-probe"] == "1.0"


def repository(folder: Path) -> None:
    """A package in a git repository, as a plain web server offers it."""
    project = '[project]\nname = "ds01-vcs"\nversion = "3.0"\n[build-system]\nrequires = ["setuptools"]\n'
    work = folder.parent / "work"
    work.mkdir()
    (work / "pyproject.toml").write_text(project + 'build-backend = "setuptools.build_meta"\n')
    (work / "ds01_vcs.py").write_text("")
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "x"], ["tag", "v3"]):
        subprocess.run(["git", *words], cwd=work, check=True)
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(folder)], check=True)
    subprocess.run(["git", "update-server-info"], cwd=folder, check=True)


def test_c5_packages_from_git_and_from_an_address_are_honoured(
    bench: Bench, desk: Desk, index: Index, tmp_path: Path
) -> None:
    repository(tmp_path / "index" / "vcs.git")
    where = index.options[0].removeprefix("--index-url ")
    lines = [
        f"ds01-vcs @ git+{where}vcs.git@v3",
        f"ds01-probe @ {where}ds01-probe/ds01_probe-1.0-py3-none-any.whl",
    ]
    folder = desk.project("vcs", f"python = {lines}")
    bench.foresee(folder)
    found = versions(bench, bench.build(folder).image_id)
    assert (found["ds01-vcs"], found["ds01-probe"]) == ("3.0", "1.0")


def test_c5_hashes_are_checked(bench: Bench, desk: Desk, index: Index) -> None:
    def written(sha256: str) -> Path:
        lines = [*index.options, f"ds01-probe==1.0 \\\n    --hash=sha256:{sha256}"]
        return desk.project("hashes", "requirements = 'r.txt'", {"r.txt": "\n".join(lines) + "\n"})

    image = bench.build(written(index.sha256))
    assert versions(bench, image.image_id)["ds01-probe"] == "1.0"
    with pytest.raises(Ds01Error, match="does not have the hash"):
        bench.build(written("0" * 64))
    there = inspect(bench.socket, image.reference)
    assert there is not None
    assert there["Id"] == image.image_id


def test_c2_c6_nothing_changes_without_a_rebuild_and_a_rebuild_without_change_does_nothing(
    bench: Bench, desk: Desk
) -> None:
    folder = desk.project("still", "python = ['six<1.17']\napt = ['less']")
    first = bench.build(folder)
    assert first.changed
    began = time.monotonic()
    again = bench.build(folder)
    assert time.monotonic() - began < 2
    assert (again.changed, again.image_id) == (False, first.image_id)
    desk.project("still", "python = ['six<1.16']\napt = ['less']")
    seen = inspect(bench.socket, first.reference)
    assert seen is not None
    assert seen["Id"] == first.image_id
    assert labels(seen)[Label.SPEC] != prepare.recipe(file.load(str(folder)), bench.settings).spec
    second = bench.build(folder)
    assert second.changed
    assert bench.step("Debian packages").cached
    assert bench.step("the Python environment").cached
    assert not bench.step("Python packages").cached
    assert versions(bench, second.reference)["six"].startswith("1.15")
    assert versions(bench, first.tag)["six"] == "1.16.0"


def test_what_the_image_is_made_of_is_on_its_labels(bench: Bench, desk: Desk) -> None:
    built = bench.build(desk.project("marks", "python = []"))
    seen = inspect(bench.socket, built.reference)
    base = inspect(bench.socket, "ds01/minimal:latest")
    assert seen is not None
    assert base is not None
    found = labels(seen)
    assert found[Label.SPEC] == built.spec
    assert found[Label.BASE] == base["Id"]
    assert found[Label.PROJECT] == "marks"
    assert found[Label.BUILT_AT]
    assert set(seen["RepoTags"]) == {built.reference, built.tag}
    assert seen["Config"]["WorkingDir"] == "/workspace"


def test_the_base_keeps_its_packages_unless_the_project_chooses(bench: Bench, desk: Desk, index: Index) -> None:
    install = f"pip install --break-system-packages {' '.join(index.options)} ds01-probe==1.0"
    text = f"FROM ds01/minimal:latest\nRUN {install}\n"
    based = desk.project("based", "dockerfile = 'Dockerfile'", {"Dockerfile": text})
    base = f"base = '{bench.build(based).reference}'"

    def build(*packages: str) -> dict[str, str]:
        lines = [*index.options, *packages]
        return versions(bench, bench.build(desk.project("kept", f"{base}\npython = {lines}")).image_id)

    assert build("ds01-probe")["ds01-probe"] == "1.0"
    with pytest.raises(
        Ds01Error, match=r"would replace what the base image brings \(.*the base brings ds01-probe==1.0"
    ):
        build("ds01-needy")
    assert build("ds01-needy", "ds01-probe>=2")["ds01-probe"] == "2.0"


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("python = ['ds01-there-is-no-such-package']", "there is no Python package 'ds01-there-is-no-such-package'"),
        ("python = ['six>=99']", "no version of 'six' fits 'six>=99'; the newest there are: "),
        ("python = ['requests==2.31.0', 'urllib3>=3']", "urllib3"),
        ("apt = ['ds01-no-such-thing']", "there is no Debian package 'ds01-no-such-thing'"),
    ],
)
def test_a_build_that_fails_says_why_and_leaves_nothing(bench: Bench, desk: Desk, image: str, said: str) -> None:
    with pytest.raises(Ds01Error) as failed:
        bench.build(desk.project("broken", image))
    problem = failed.value.problem
    assert problem.kind is BUILD_FAILED
    assert said in problem.message
    assert "It failed at: " in problem.reason
    assert inspect(bench.socket, "ds01-1722830498/broken:latest") is None
    assert bench.docker("ps", "-aq") == ""


def test_conflicting_constraints_are_told_by_name(bench: Bench, desk: Desk) -> None:
    with pytest.raises(Ds01Error) as failed:
        bench.build(desk.project("clash", "python = ['requests==2.31.0', 'idna>=4']"))
    assert "idna" in failed.value.problem.message


def test_no_network_is_told_as_such(bench: Bench, desk: Desk) -> None:
    lost = Bench(
        socket=bench.socket,
        settings=type(bench.settings)(
            bases=bench.settings.bases, environment={"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
        ),
    )
    with pytest.raises(Ds01Error, match="the package index cannot be reached"):
        lost.build(desk.project("lost", "python = ['six']"))
