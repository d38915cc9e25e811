"""The project commands, as far as they need no server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ds01.domain.labels import Label
from ds01.domain.names import image_reference
from ds01.projects import file, prepare
from ds01.wire.images import BaseView, BuildSettings, ImageView
from tests.unit.cli.conftest import Ran
from tests.unit.cli.daemon import Daemon


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of one's own, and a ds01d that is not there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DS01_SOCKET", str(tmp_path / "nobody.sock"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_init_makes_a_project_and_says_what_is_next(home: Path, ds01: Callable[..., Ran]) -> None:
    ran = ds01("init", "thesis", "--type", "ml", "--desc", "Cells")
    assert (ran.code, ran.out) == (0, "")
    assert "Next: ds01 launch thesis" in ran.err
    assert (home / "workspace" / "thesis" / "ds01.toml").exists()


def test_init_tells_programs_what_was_written(home: Path, ds01: Callable[..., Ran]) -> None:
    ran = ds01("project", "init", "thesis", "--blank", "--json")
    told = json.loads(ran.out)
    assert (told["name"], told["type"], told["adopted"], told["kept"]) == ("thesis", "blank", False, [])
    assert "ds01.toml" in told["written"]


def test_init_changes_nothing_when_only_asked(home: Path, ds01: Callable[..., Ran]) -> None:
    ran = ds01("init", "thesis", "--dry-run")
    assert ran.code == 0
    assert f"{home}/workspace/thesis/ds01.toml" in ran.out.splitlines()
    assert not (home / "workspace").exists()


def test_init_adopts_and_lists_what_it_keeps(home: Path, ds01: Callable[..., Ran]) -> None:
    (home / "workspace" / "thesis").mkdir(parents=True)
    (home / "workspace" / "thesis" / "README.md").write_text("mine")
    ran = ds01("init", "thesis", "--blank")
    assert "Kept as they are" in ran.err
    assert "README.md" in ran.err
    again = ds01("init", "thesis", "--blank")
    assert again.code == 0
    assert "was a project already" in again.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["init", "My Thesis"], 2, "my-thesis"),
        (["init", "../x"], 2, "lower-case"),
        (["init", "thesis", "--type", "dta"], 2, "Did you mean 'data'?"),
        (["init", "thesis", "--type", "ml", "--blank"], 2, "exclude each other"),
        (["init", "thesis", "--git", "--no-git"], 2, "exclude each other"),
        (["init", "thesis", "--desc", "two\nlines"], 2, "one line"),
        (["init"], 2, "NAME"),
        (["project", "show", "nope"], 4, "ds01 init nope"),
        (["project", "show"], 4, "You have no project yet"),
        (["project", "check", "nope"], 4, "There is no project 'nope'"),
        (["image", "create", "nope"], 4, "There is no project 'nope'"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    home: Path, ds01: Callable[..., Ran], words: list[str], code: int, said: str
) -> None:
    ran = ds01(*words)
    assert ran.code == code
    assert said in ran.err


def test_a_file_where_the_project_should_be(home: Path, ds01: Callable[..., Ran]) -> None:
    (home / "workspace").mkdir()
    (home / "workspace" / "thesis").write_text("")
    ran = ds01("init", "thesis")
    assert ran.code == 5
    assert "it is a file, not a folder" in ran.err


def test_list_and_show_work_without_the_server(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "thesis", "--desc", "Cells")
    listed = ds01("project", "list", "--json")
    assert [(view["name"], view["description"]) for view in json.loads(listed.out)] == [("thesis", "Cells")]
    shown = ds01("project", "show", "thesis")
    assert shown.code == 0
    assert "not built yet" in shown.out
    assert "ds01d does not answer" in shown.err


def test_check_tells_every_mistake_with_its_place(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "good")
    ds01("init", "bad")
    file = home / "workspace" / "bad" / "ds01.toml"
    file.write_text('[image]\nbse = "x"\npython = ["pandas=2"]\n')
    ran = ds01("project", "check")
    assert ran.code == 2
    assert "good: the project file is right." in ran.err
    assert f"{file}:2:1: unknown key 'bse'; did you mean 'base'?" in ran.err.replace("\n", " ")
    assert "3:11:" in ran.err
    told = json.loads(ds01("project", "check", "bad", "--json").out)
    assert told[0]["problem"].startswith(f"{file}:2:1:")


def test_check_reads_the_requirements_files_too(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "thesis", "--blank")
    folder = home / "workspace" / "thesis"
    (folder / "ds01.toml").write_text('[image]\nrequirements = "requirements.txt"\n')
    assert "There is no file requirements.txt" in ds01("project", "check", "thesis").err
    (folder / "requirements.txt").write_text("six\nnumpy=1\n")
    ran = ds01("project", "check", "thesis")
    assert ran.code == 2
    assert "requirements.txt:2:" in ran.err


def test_check_tells_all_mistakes_of_the_requirements_at_once(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "thesis", "--blank")
    folder = home / "workspace" / "thesis"
    (folder / "ds01.toml").write_text('[image]\nrequirements = "requirements.txt"\n')
    (folder / "requirements.txt").write_text("six\nnumpy=1\n-r more.txt\n-e .\n-r gone.txt\n")
    (folder / "more.txt").write_text("tqdm\npandas=2\n")
    said = " ".join(ds01("project", "check", "thesis").err.split())
    for place in ("requirements.txt:2:", "requirements.txt:4:", "more.txt:2:", "There is no file gone.txt"):
        assert place in said
    assert said.count("requirements.txt:2:") == 1


def test_c5_check_warns_of_packages_that_a_dockerfile_of_ones_own_ignores(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "thesis", "--blank")
    folder = home / "workspace" / "thesis"
    (folder / "Dockerfile").write_text("FROM ds01/minimal\n")
    listed = '[image]\ndockerfile = "Dockerfile"\npython = ["six"]\napt = ["less"]\n'
    (folder / "ds01.toml").write_text(listed)
    ran = ds01("project", "check", "thesis")
    assert ran.code == 0
    assert "python, apt under [image] of thesis count for nothing" in " ".join(ran.err.split())
    assert (
        "built from Dockerfile as it is"
        in json.loads(ds01("project", "check", "thesis", "--json").out)[0]["warnings"][0]
    )
    (folder / "ds01.toml").write_text('[image]\ndockerfile = "Dockerfile"\n')
    assert "for nothing" not in ds01("project", "check", "thesis").err


def test_check_looks_the_base_up_where_ds01d_answers(ds01: Callable[..., Ran], daemon: Daemon, tmp_path: Path) -> None:
    bases = (
        BaseView(name="minimal", reference="m:1", description=""),
        BaseView(name="pytorch", reference="p:1", description=""),
    )
    daemon.answers["GET", "/v1/images/settings"] = BuildSettings(bases=bases)
    ds01("init", "thesis", "--blank")
    written = tmp_path / "workspace" / "thesis" / "ds01.toml"
    written.write_text('[image]\nbase = "pytroch"\n')
    ran = ds01("project", "check", "thesis")
    assert ran.code == 2
    said = " ".join(ran.err.split())
    assert f"{written}:2:8: this server has no base 'pytroch'; did you mean 'pytorch'?" in said
    written.write_text('[image]\nbase = "python:3.12-slim"\n')
    assert ds01("project", "check", "thesis").code == 0


def test_the_project_one_is_in_is_meant(home: Path, ds01: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    ds01("init", "one")
    ds01("init", "two")
    monkeypatch.chdir(home / "workspace" / "two" / "src")
    assert json.loads(ds01("project", "show", "--json").out)["name"] == "two"
    monkeypatch.chdir(home)
    ran = ds01("project", "show")
    assert ran.code == 2
    assert "You have one, two" in ran.err


def test_a_project_is_shared_told_and_taken_back(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "thesis", "--blank")
    before = (home / "workspace/thesis").stat().st_mode
    assert "shared with nobody" in ds01("project", "share", "thesis").err
    assert (
        "would be shared to read with nobody."
        in ds01("project", "share", "thesis", "--with", "nobody", "--dry-run").err
    )
    ran = ds01("project", "share", "thesis", "--with", "nobody", "--read-only")
    assert (ran.code, "ds01 init thesis --from" in " ".join(ran.err.split())) == (0, True)
    told = json.loads(ds01("project", "share", "thesis", "--json").out)
    assert told == [{"project": "thesis", "who": "nobody", "may": "read"}]
    assert ds01("project", "share", "thesis", "--with", "nobody", "--stop").code == 0
    assert json.loads(ds01("project", "share", "thesis", "--json").out) == []
    assert (home / "workspace/thesis").stat().st_mode == before
    assert ds01("project", "share", "thesis", "--stop").code == 2


def test_sharing_to_write_is_asked_for_and_its_risk_is_told(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "thesis", "--blank")
    (home / "workspace/thesis/server.key").write_text("secret")
    ran = ds01("project", "share", "thesis", "--with", "nobody")
    assert "may read /" in " ".join(ran.err.split())
    assert "run as you" not in ran.err
    assert "secrets:" in ran.err
    assert "server.key" in ran.err
    assert "not yours" not in ran.err
    ran = ds01("project", "share", "thesis", "--with", "nobody", "--write")
    assert "can make programs run as you" in " ".join(ran.err.split())
    (told,) = json.loads(ds01("project", "share", "thesis", "--json").out)
    assert told["may"] == "write"
    ran = ds01("project", "share", "thesis", "--with", "nobody", "--write", "--read-only")
    assert (ran.code, "exclude each other" in ran.err) == (2, True)


@pytest.mark.root
def test_stopping_fails_with_the_whole_list_while_files_of_others_are_left(
    home: Path, ds01: Callable[..., Ran]
) -> None:
    ds01("init", "thesis", "--blank")
    ds01("project", "share", "thesis", "--with", "nobody", "--write")
    others = [home / f"workspace/thesis/theirs{number}" for number in range(6)]
    for path in others:
        path.write_text("")
        os.chown(path, 54321, 54321)
    ran = ds01("project", "share", "thesis", "--with", "nobody", "--stop")
    assert ran.code == 1
    assert "no longer" not in ran.err
    assert all(path.name in ran.err for path in others)
    for path in others:
        path.unlink()
    assert ds01("project", "share", "thesis", "--with", "nobody", "--stop").code == 0


def test_the_list_says_what_a_project_takes_on_the_disk(home: Path, ds01: Callable[..., Ran]) -> None:
    ds01("init", "thesis", "--blank")
    (home / "workspace/thesis/large").write_bytes(b"x" * 3 * 1024**2)
    (home / "workspace/thesis/same").hardlink_to(home / "workspace/thesis/large")
    (view,) = json.loads(ds01("project", "list", "--json").out)
    assert 3 * 1024**2 <= view["disk_bytes"] < 4 * 1024**2
    assert "3M" in ds01("project", "list").out


def test_the_list_says_which_images_are_behind_their_project_file(
    ds01: Callable[..., Ran], daemon: Daemon, tmp_path: Path
) -> None:
    base = BaseView(name="minimal", reference="ds01/minimal:latest", digest="sha256:" + "b" * 64, description="Debian")
    settings, images = BuildSettings(bases=(base,)), []
    for name in ("current", "behind", "older", "unbuilt"):
        ds01("init", name, "--blank")
        recipe = prepare.recipe(file.named(name, str(tmp_path)), settings)
        stands_on = "sha256:" + "a" * 64 if name == "older" else base.digest
        images.append(
            ImageView(
                id=f"sha256:{name}", reference=image_reference(os.geteuid(), name), project=name, tags=(),
                created_at="2026-11-01T10:00:00+00:00", size_bytes=1,
                labels={Label.SPEC: recipe.spec, Label.BASE: stands_on},
            )
        )  # fmt: skip
    behind = tmp_path / "workspace/behind/ds01.toml"
    behind.write_text(behind.read_text().replace("python = []", 'python = ["six"]'))
    daemon.answers |= {("GET", "/v1/images/settings"): settings, ("GET", "/v1/images"): images[:3]}
    listed = json.loads(ds01("project", "list", "--json").out)
    shown = {view["name"]: (bool(view["image"]), view["stale"]) for view in listed}
    assert shown == {
        "current": (True, ""), "behind": (True, "the project file changed since the image was built"),
        "older": (True, "its base image was updated"), "unbuilt": (False, ""),
    }  # fmt: skip
    rows = {line.split()[0]: line.split()[3] for line in ds01("project", "list").out.splitlines()[1:]}
    assert {name: rows[name] for name in ("current", "behind", "older")} == {
        "current": "built", "behind": "stale", "older": "stale",
    }  # fmt: skip
