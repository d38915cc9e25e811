"""The image commands: a change and its build are both or neither."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ds01.domain.errors import NO_IMAGE, Ds01Error
from ds01.projects.forecast import BEGINS, REFUSED
from ds01.wire.images import BaseView, BuildSettings
from ds01.wire.jobs import JobPlan
from ds01.wire.launches import LaunchEvent, LaunchPlan
from ds01.wire.status import PingView
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon
from tests.unit.cli.terminal import at_a_terminal
from tests.unit.projects.test_forecast import IDNA

TEXT = '[project]\nname = "thesis"\n\n[image]\npython = ["requests==2.31.0"]  # the usual\napt = ["less"]\n'
BASE = "sha256:" + "b" * 64
NEW = "sha256:" + "c" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of its owner."""
    made = tmp_path / "workspace/thesis"
    made.mkdir(parents=True)
    (made / "ds01.toml").write_text(TEXT)
    return made


class Builder:
    """Answers builds as the engine does: one that only asks, one that makes an image."""

    def __init__(self) -> None:
        self.resolves = [BEGINS, "Would install 1 package", " + six==1.17.0"]
        self.fails = ""
        self.builds: list[str] = []

    def __call__(self, asked: Asked) -> Iterator[dict[str, Any]]:
        with tarfile.open(fileobj=io.BytesIO(asked.files)) as archive:
            found = archive.extractfile("Dockerfile")
            assert found is not None
            text = found.read().decode()
        self.builds.append(text)
        if "ds01-begins" in text:
            lines = ["Step 1/1 : RUN", "ds01-begins", *self.resolves, "ds01-ends"]
            return iter([{"stream": "\n".join([*lines, ""])}, {"error": "returned a non-zero code: 97"}])
        if self.fails:
            return iter([{"stream": f"Step 1/1 : RUN pip\n{self.fails}\n"}, {"error": "returned a non-zero code: 1"}])
        return iter([{"stream": "Step 1/1 : FROM\n"}, {"aux": {"ID": NEW}}])


@pytest.fixture
def builder(daemon: Daemon, folder: Path) -> Builder:
    """A server on which the project can be built."""
    base = BaseView(name="minimal", reference="ds01/minimal:latest", description="", digest=BASE)
    made = Builder()
    daemon.answers["GET", "/v1/images/settings"] = BuildSettings(bases=(base,))
    daemon.answers["GET", "/v1/ping"] = PingView(
        version="1", simulated_gpus=True, engine="20.10.24", login="anna", gateway=str(daemon.socket)
    )
    daemon.answers["GET", "/images/ds01/minimal:latest/json"] = {"Id": BASE, "Config": {"Labels": {}}}
    daemon.answers["POST", "/build"] = made

    def unknown(asked: Asked) -> Any:
        return Ds01Error(NO_IMAGE, "There is none.")

    daemon.answers["GET", f"/v1/images/ds01-{os.geteuid()}/thesis:latest"] = unknown
    return made


def test_c5_a_conflict_is_told_before_anything_is_written_or_built(ds01: Run, builder: Builder, folder: Path) -> None:
    builder.resolves = [*IDNA.splitlines(), REFUSED]
    ran = ds01("image", "update", "thesis", "--add", "idna>=4")
    assert ran.code == 1
    said = " ".join(ran.err.split())
    assert "requests==2.31.0 needs idna>=2.5,<4, and you ask for idna>=4" in said
    assert 'ds01 image update thesis --add "idna>=2.5,<4"' in said
    assert (folder / "ds01.toml").read_text() == TEXT
    assert not (folder / "Dockerfile").exists()
    assert len(builder.builds) == 1


def test_an_update_resolves_then_builds_and_keeps_comments(ds01: Run, builder: Builder, folder: Path) -> None:
    ran = ds01("image", "update", "thesis", "--add", "six")
    assert ran.code == 0
    assert "On top of the base: six 1.17.0." in ran.err
    assert len(builder.builds) == 2
    assert '["requests==2.31.0", "six"]  # the usual' in (folder / "ds01.toml").read_text()


def test_what_was_asked_for_is_told_however_quick_it_was(ds01: Run, builder: Builder, daemon: Daemon) -> None:
    steps = [{"stream": f"Step {step}/20 : X\n"} for step in range(1, 21)]
    daemon.answers["POST", "/build"] = lambda asked: iter([*steps, {"aux": {"ID": NEW}}])
    ran = ds01("image", "create", "thesis")
    assert ran.code == 0
    told = [line for line in ran.err.splitlines() if line.startswith("✓")]
    shown = [line.rpartition(" ")[0] for line in told if "image of" not in line]
    assert {"✓ Debian packages", "✓ Python packages"} <= set(shown)


@pytest.mark.parametrize("buildkit", [False, True])
def test_pips_cache_is_mounted_where_buildkit_builds(
    ds01: Run, builder: Builder, daemon: Daemon, folder: Path, buildkit: bool
) -> None:
    settings = daemon.answers["GET", "/v1/images/settings"]
    daemon.answers["GET", "/v1/images/settings"] = dataclasses.replace(settings, buildkit=buildkit)
    for more in ((), ("--no-cache",)):
        assert ds01("image", "create", "thesis", *more).code == 0
    asked = [each.query for each in daemon.asked if each.path == "/build" and "t" in each.query]
    assert [each.get("version") for each in asked] == ["2" if buildkit else None] * 2
    cached, anew = (text for text in builder.builds if "ds01-begins" not in text)
    owner = f",uid={os.geteuid()},gid={os.getegid()} "
    assert ("RUN --mount=type=cache,id=ds01-pip-" in cached and owner in cached) is buildkit
    assert "--mount" not in anew
    assert "--mount" not in (folder / "Dockerfile").read_text()


def test_a_dry_run_says_the_versions_and_changes_nothing(ds01: Run, builder: Builder, folder: Path) -> None:
    ran = ds01("image", "update", "thesis", "--add", "six", "--dry-run", "--json")
    assert json.loads(ran.out)["packages"] == ["six==1.17.0"]
    assert (folder / "ds01.toml").read_text() == TEXT
    assert len(builder.builds) == 1


def test_what_cannot_be_resolved_ahead_is_built_all_the_same(ds01: Run, builder: Builder) -> None:
    builder.resolves = [BEGINS, "error: Request failed after 3 retries", REFUSED]
    assert ds01("image", "update", "thesis", "--add", "six").code == 0
    assert len(builder.builds) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("image", "create", "thesis"),
        ("image", "update", "thesis", "--rebuild"),
        ("launch", "thesis", "--background", "--yes"),
        ("run", "--project", "thesis", "--yes", "--", "true"),
    ],
)
def test_c5_every_build_is_resolved_first(
    ds01: Run, daemon: Daemon, builder: Builder, folder: Path, words: tuple[str, ...]
) -> None:
    """Also after an edit by hand, which is how the tutorial teaches it."""
    missing = "the project has no image yet"
    image = f"ds01-{os.geteuid()}/thesis:latest"
    plan = LaunchPlan(action="create", name="thesis", image=image, build=missing, missing=True)
    daemon.answers["POST", "/v1/launches"] = lambda _: iter([LaunchEvent(step="plan", plan=plan)])
    daemon.answers["POST", "/v1/jobs/plan"] = JobPlan(
        name="thesis-1", image="x", build=missing, gpus="0", planned_seconds=None, tasks=1, missing=True
    )
    builder.resolves = [*IDNA.splitlines(), REFUSED]
    (folder / "ds01.toml").write_text(TEXT.replace('"requests==2.31.0"', '"requests==2.31.0", "idna>=4"'))
    ran = ds01(*words)
    assert ran.code == 1
    assert "requests==2.31.0 needs idna>=2.5,<4, and you ask for idna>=4" in " ".join(ran.err.split())
    assert ["ds01-begins" in text for text in builder.builds] == [True]
    assert not (folder / "Dockerfile").exists()


def test_what_was_resolved_is_told_with_the_build(ds01: Run, builder: Builder) -> None:
    ran = ds01("image", "create", "thesis", "--json")
    assert json.loads(ran.out)["packages"] == ["six==1.17.0"]
    assert len(builder.builds) == 2


def test_what_a_dry_run_resolved_is_not_resolved_again(ds01: Run, builder: Builder, tmp_path: Path) -> None:
    for _ in range(2):
        dry = ds01("image", "update", "thesis", "--add", "six", "--dry-run")
        assert "On top of the base: six 1.17.0." in dry.err
    assert len(builder.builds) == 1
    assert ds01("image", "update", "thesis", "--add", "six").code == 0
    assert len(builder.builds) == 2
    (kept,) = (tmp_path / ".cache/ds01/resolved").iterdir()
    os.utime(kept, (0, 0))
    ds01("image", "update", "thesis", "--add", "six", "--dry-run")
    assert ["ds01-begins" in text for text in builder.builds] == [True, False, True]


def test_what_lists_no_package_is_built_at_once(ds01: Run, builder: Builder, folder: Path) -> None:
    (folder / "ds01.toml").write_text('[project]\nname = "thesis"\n')
    assert ds01("image", "create", "thesis").code == 0
    assert len(builder.builds) == 1


def test_a_build_that_fails_takes_the_change_back(ds01: Run, builder: Builder, folder: Path) -> None:
    builder.fails = "OSError: [Errno 28] No space left on device"
    ran = ds01("image", "update", "thesis", "--add", "six")
    assert ran.code == 3
    assert "the disk is full" in ran.err
    assert "The project file is as it was before." in ran.err
    assert (folder / "ds01.toml").read_text() == TEXT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--add", "pandas>=2,<3"), "RUN pip install 'pandas>=2,<3'"),
        (("--add-apt", "git-lfs"), "apt-get install -y --no-install-recommends git-lfs"),
        (("--requirements", "requirements.txt"), "RUN pip install -r /opt/requirements.txt"),
        (("--remove", "six"), "Take out of Dockerfile what installs six."),
    ],
)
def test_c5_packages_are_refused_where_the_dockerfile_is_ones_own(
    ds01: Run, builder: Builder, folder: Path, words: tuple[str, ...], said: str
) -> None:
    (folder / "requirements.txt").write_text("six\n")
    (folder / "Dockerfile").write_text("FROM ds01/minimal\n")
    text = TEXT.replace("[image]\n", '[image]\ndockerfile = "Dockerfile"\n')
    (folder / "ds01.toml").write_text(text)
    ran = ds01("image", "update", "thesis", *words, "--yes")
    assert ran.code == 2
    assert said in " ".join(ran.err.split())
    assert "ds01 image update thesis --rebuild" in ran.err
    assert ((folder / "ds01.toml").read_text(), builder.builds) == (text, [])
    assert ds01("image", "update", "thesis", "--rebuild").code == 0


def test_debian_packages_are_removed_like_others(ds01: Run, builder: Builder, folder: Path) -> None:
    assert ds01("image", "update", "thesis", "--remove", "less").code == 0
    assert "apt = []" in (folder / "ds01.toml").read_text()


def test_a_requirements_file_is_named_from_where_one_is(
    ds01: Run, builder: Builder, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "deps").mkdir()
    (folder / "deps/more.txt").write_text("six\n")
    (tmp_path / "elsewhere.txt").write_text("six\n")
    monkeypatch.chdir(folder / "deps")
    assert ds01("image", "update", "thesis", "--requirements", "more.txt").code == 0
    assert 'requirements = "deps/more.txt"' in (folder / "ds01.toml").read_text()
    ran = ds01("image", "update", "thesis", "--requirements", str(tmp_path / "elsewhere.txt"))
    assert ran.code == 2
    assert "is not in the project's folder" in ran.err


def test_edit_needs_somebody_and_excludes_the_others(ds01: Run, builder: Builder) -> None:
    ran = ds01("image", "update", "thesis", "--edit")
    assert (ran.code, "there is no terminal" in ran.err) == (2, True)
    ran = ds01("image", "update", "thesis", "--edit", "--add", "six")
    assert (ran.code, "exclude each other" in ran.err) == (2, True)


def test_edit_builds_what_the_editor_left(daemon: Daemon, builder: Builder, folder: Path, tmp_path: Path) -> None:
    code, said = at_a_terminal(daemon, tmp_path, "sed -i s/less/git-lfs/", "image", "update", "thesis", "--edit")
    assert code == 0, said
    assert '+ apt = ["git-lfs"]' in said
    assert (folder / "ds01.toml").read_text() == TEXT.replace("less", "git-lfs")
    assert list((folder / ".ds01").iterdir()) == []


def test_a_mistake_in_the_editor_is_told_and_nothing_is_written(
    daemon: Daemon, builder: Builder, folder: Path, tmp_path: Path
) -> None:
    spoil = "sed -i s/apt/atp/"
    code, said = at_a_terminal(daemon, tmp_path, spoil, "image", "update", "thesis", "--edit", answers="y\nn\n")
    assert (code, said.count("did you mean 'apt'"), builder.builds) == (2, 3, [])
    assert (folder / "ds01.toml").read_text() == TEXT
    mend = "sed -i s/atp/apt/;s/less/git-lfs/"
    code, said = at_a_terminal(daemon, tmp_path, mend, "image", "update", "thesis", "--edit", answers="y\n")
    assert "There is a draft of yours that was not built." in said
    assert code == 0
    assert (folder / "ds01.toml").read_text() == TEXT.replace("less", "git-lfs")


def test_a_build_that_fails_keeps_the_draft(daemon: Daemon, builder: Builder, folder: Path, tmp_path: Path) -> None:
    builder.fails = "E: Unable to locate package git-lfs"
    code, said = at_a_terminal(daemon, tmp_path, "sed -i s/less/git-lfs/", "image", "update", "thesis", "--edit")
    assert code == 1
    assert "Your text is kept: ds01 image update thesis --edit goes on with it." in said
    assert (folder / "ds01.toml").read_text() == TEXT
    assert "git-lfs" in (folder / ".ds01/draft-ds01.toml").read_text()
    code, said = at_a_terminal(daemon, tmp_path, "no-such-editor", "image", "update", "thesis", "--edit", answers="n\n")
    assert (code, "export EDITOR=vim" in said) == (2, True)


@pytest.fixture
def catalogue(builder: Builder, daemon: Daemon) -> Daemon:
    """A server with three bases: one made here, one that is here, one that is not."""
    bases = (
        BaseView(name="minimal", reference="ds01/minimal:latest", description="Debian", digest=BASE, size_bytes=10**8),
        BaseView(name="python", reference="docker.io/python:3.12", description="Python", digest=NEW, size_bytes=10**9),
        BaseView(
            name="pytorch", reference="docker.io/pytorch/pytorch@sha256:" + "d" * 64, description="PyTorch with CUDA",
            size_bytes=6 * 10**9, cuda="12.4", driver="550",
        ),
    )  # fmt: skip
    daemon.answers["GET", "/v1/images/settings"] = BuildSettings(bases=bases)
    daemon.answers["POST", "/images/create"] = lambda asked: iter([{"id": "a1", "status": "Pulling fs layer"}])
    return daemon


def pulled(daemon: Daemon) -> list[dict[str, str]]:
    return [asked.query for asked in daemon.asked if asked.path == "/images/create"]


def test_the_catalogue_shows_what_is_here(ds01: Run, catalogue: Daemon) -> None:
    rows = [line.split() for line in ds01("image", "bases").out.splitlines()]
    assert [row[0] for row in rows] == ["BASE", "minimal", "python", "pytorch"]
    assert rows[3][2:6] == ["12.4", "(driver", "550)", "no"]
    assert json.loads(ds01("image", "bases", "--json").out)[2]["cuda"] == "12.4"
    assert "sudo ds01 admin image prefetch NAME" in ds01("image", "bases").err


def test_prefetch_fetches_what_is_missing_by_its_digest(ds01: Run, catalogue: Daemon) -> None:
    ran = ds01("admin", "image", "prefetch", "--dry-run")
    assert (pulled(catalogue), "pytorch@sha256:dddd" in ran.err) == ([], True)
    assert ds01("admin", "image", "prefetch", "--yes").code == 0
    assert pulled(catalogue) == [{"fromImage": "docker.io/pytorch/pytorch", "tag": "sha256:" + "d" * 64}]
    assert ds01("admin", "image", "prefetch", "python", "minimal", "--again").code == 0
    assert pulled(catalogue)[1:] == [{"fromImage": "docker.io/python", "tag": "3.12"}]


def test_prefetch_without_names_says_how_much_it_is_and_asks(ds01: Run, catalogue: Daemon, tmp_path: Path) -> None:
    unasked = ds01("admin", "image", "prefetch")
    assert (unasked.code, pulled(catalogue), "--yes, or the names of bases" in unasked.err) == (2, [], True)
    assert "pytorch docker.io/pytorch/pytorch@sha256:" in " ".join(unasked.err.split())
    words = ("admin", "image", "prefetch", "--again")
    code, said = at_a_terminal(catalogue, tmp_path, "", *words, answers="n\n")
    assert (code, pulled(catalogue)) == (0, [])
    assert "Fetch 2 bases, 6.5G on the engine's disk?" in said
    code, said = at_a_terminal(catalogue, tmp_path, "", *words, answers="y\n")
    assert (code, len(pulled(catalogue))) == (0, 2)


@pytest.mark.parametrize("words", [(), ("--engine", "SOCKET")])
def test_root_prefetches_from_the_engine_itself(
    ds01: Run, catalogue: Daemon, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    own = str(catalogue.socket)
    gone = PingView(version="1", simulated_gpus=True, engine="20", login="root", gateway="/nonexistent/gateway.sock")
    catalogue.answers["GET", "/v1/ping"] = gone
    if not words:
        monkeypatch.setattr("ds01.install.paths.ENGINE", own)
    assert ds01("admin", "image", "prefetch", *(own if word == "SOCKET" else word for word in words), "--yes").code == 0
    assert len(pulled(catalogue)) == 1


def test_prefetch_tells_what_could_not_be_fetched(ds01: Run, catalogue: Daemon) -> None:
    said = "Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host"
    catalogue.answers["POST", "/images/create"] = lambda asked: iter([{"error": said}])
    ran = ds01("admin", "image", "prefetch", "--again", "--json", "--yes")
    assert ran.code == 1
    assert [view["name"] for view in json.loads(ran.out)] == ["python", "pytorch"]
    assert "the image registry cannot be reached" in json.loads(ran.out)[0]["problem"]
    assert ds01("admin", "image", "prefetch", "pytorhc").code == 4


def test_a_base_that_cannot_be_fetched_names_what_is_here(ds01: Run, catalogue: Daemon, folder: Path) -> None:
    (folder / "ds01.toml").write_text('[image]\nbase = "pytorch"\n')
    said = "Get https://registry-1.docker.io/v2/: dial tcp: lookup registry-1.docker.io: no such host"
    catalogue.answers["POST", "/build"] = lambda asked: iter([{"error": said}])
    ran = ds01("image", "create", "thesis")
    assert ran.code == 1
    words = " ".join(ran.err.split())
    assert "could not be fetched" in words
    assert 'base = "minimal" or base = "python" under [image]' in words
