"""Commands that change something: what they say first, what they ask, what they send, what they say then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ds01.cli.call import Call
from ds01.cli.shell import farewell
from ds01.cli.talk import talk
from ds01.domain.errors import INTERNAL, NO_IMAGE, Ds01Error
from ds01.domain.project import RunDefaults
from ds01.projects import editor_files, file
from ds01.wire.containers import PackageView, RetirePreview, RetireResult, StartResult
from ds01.wire.images import BaseView, BuildSettings
from ds01.wire.launches import LaunchEvent, LaunchPlan
from tests.unit.cli import values
from tests.unit.cli.conftest import Run
from tests.unit.cli.daemon import Asked, Daemon
from tests.unit.cli.terminal import at_a_terminal

PACKAGE = PackageView(name="einops", version="0.8.0")


def preview(workspace: Path, **more: Any) -> RetirePreview:
    container = values.busy("thesis", **({"workspace": str(workspace)} | more.pop("container", {})))
    return RetirePreview(container=container, workspace=str(workspace), **more)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A project of its owner."""
    folder = tmp_path / "workspace/thesis"
    folder.mkdir(parents=True)
    (folder / "ds01.toml").write_text('[project]\nname = "thesis"\n\n[image]\npython = ["numpy"]  # the usual\n')
    return folder


@pytest.fixture
def retiring(daemon: Daemon, workspace: Path) -> Callable[..., Daemon]:
    """A container that may be retired."""

    def have(**found: Any) -> Daemon:
        daemon.answers["GET", "/v1/containers/thesis/retire"] = preview(workspace, **found)
        daemon.answers["POST", "/v1/containers/thesis/retire"] = RetireResult(
            name="thesis", freed=("0",), packages=found.get("packages", ()), files_lost=found.get("files_total", 0),
            workspace=str(workspace), seconds=0.4,
        )  # fmt: skip
        return daemon

    return have


def sent(daemon: Daemon, method: str, path: str) -> list[Any]:
    """The bodies of these requests."""
    return [asked.body for asked in daemon.asked if (asked.method, asked.path) == (method, path)]


def done(daemon: Daemon) -> list[Any]:
    """The launches that were asked for whatever there is."""
    return [body for body in sent(daemon, "POST", "/v1/launches") if not body["if_new"]]


def test_stop_says_that_what_goes_with_its_end_is_gone(ds01: Run, daemon: Daemon) -> None:
    folder = "/home/alice/workspace/exp"
    daemon.answers["POST", "/v1/containers/exp/stop"] = values.container("exp", "removed", workspace=folder)
    ran = ds01("stop", "exp")
    assert "exp is stopped." in ran.err
    assert "It is gone: what was started with --rm is removed with its end" in ran.err
    assert f"{folder} stays." in " ".join(ran.err.split())
    assert "kept for" not in ran.err
    assert "ds01 start" not in ran.err
    assert "Next: ds01 why exp" in ran.err


def test_a_stop_that_only_looks_promises_nothing_of_what_may_go_with_its_end(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.busy("exp"), values.busy("r2", door="docker"))
    assert "it would be kept for a while.\n" in ds01("stop", "exp", "--dry-run").err
    assert "it would be kept for a while, unless it was started with --rm.\n" in ds01("stop", "r2", "--dry-run").err


def test_stop_says_what_is_kept(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/containers/exp/stop"] = values.container("exp", "stopped", lease="held")
    ran = ds01("stop", "exp", "--grace", "5m")
    assert ran.code == 0
    assert "exp is stopped." in ran.err
    assert "/home/anna/workspace/exp stays" in ran.err
    assert sent(daemon, "POST", "/v1/containers/exp/stop") == [{"grace_seconds": 300}]


def test_next_is_no_launch_of_what_came_through_docker(
    ds01: Run, daemon: Daemon, retiring: Callable[..., Daemon], workspace: Path
) -> None:
    (workspace / "ds01.toml").unlink()
    retiring(container={"door": "docker", "project": ""})
    ran = ds01("retire", "thesis", "--yes")
    assert "Next: ds01 why thesis · ds01 status" in ran.err
    there = values.container("k1", "stopped", door="docker", project="")
    daemon.have(there)
    daemon.answers["DELETE", "/v1/containers/k1"] = there
    assert "Next: ds01 list" in ds01("remove", "k1", "--yes").err


def test_force_is_no_grace(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/containers/exp/stop"] = values.container("exp", "stopped")
    ds01("stop", "exp", "--force")
    assert sent(daemon, "POST", "/v1/containers/exp/stop") == [{"grace_seconds": 0}]


def test_start_says_when_a_container_was_made_anew(ds01: Run, daemon: Daemon) -> None:
    daemon.answers["POST", "/v1/containers/exp/start"] = StartResult(
        container=values.busy("exp"), recreated=True, notes=("Its GPU is another one now.",)
    )
    ran = ds01("start", "exp")
    assert "made anew on its own files" in ran.err
    assert "Its GPU is another one now." in ran.err


@pytest.mark.parametrize("verb", ["start", "stop", "pause", "unpause", "remove", "retire"])
def test_a_dry_run_asks_ds01d_for_nothing_but_a_look(ds01: Run, daemon: Daemon, workspace: Path, verb: str) -> None:
    daemon.have(values.container("exp", "stopped"))
    daemon.answers["GET", "/v1/containers/exp/retire"] = preview(workspace)
    assert ds01(verb, "exp", "--dry-run").code == 0
    assert {asked.method for asked in daemon.asked} == {"GET"}


def test_remove_lists_what_goes_and_stays_and_asks(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.container("exp", "stopped"))
    daemon.answers["DELETE", "/v1/containers/exp"] = values.container("exp", "removed")
    ran = ds01("remove", "exp")
    assert ran.code == 2
    assert "the container exp and everything in it outside /workspace" in ran.err
    assert "your files in /home/anna/workspace/exp" in ran.err
    assert "Add --yes." in ran.err
    assert sent(daemon, "DELETE", "/v1/containers/exp") == []
    assert ds01("remove", "exp", "--yes").code == 0
    assert sent(daemon, "DELETE", "/v1/containers/exp") == [None]


def test_remove_leaves_a_running_container_alone(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.container("exp"))
    ran = ds01("remove", "exp", "--yes")
    assert ran.code == 1
    assert "Try: ds01 retire exp" in ran.err


def test_w2_retire_lists_what_would_be_lost_before_anything_happens(ds01: Run, retiring: Callable[..., Daemon]) -> None:
    daemon = retiring(files=("/home/anna/.bashrc", "/opt/x"), files_total=200, processes=("python train.py",))
    ran = ds01("retire", "thesis")
    for said in ("python train.py", "/home/anna/.bashrc", "200 changed files", "and 198 more", "GPU 2:1g.5gb"):
        assert said in ran.err
    assert ran.code == 2
    assert "--rescue" in ran.err
    assert sent(daemon, "POST", "/v1/containers/thesis/retire") == []


def test_p2_with_yes_packages_become_suggestions_and_files_go(
    ds01: Run, retiring: Callable[..., Daemon], workspace: Path
) -> None:
    daemon = retiring(packages=(PACKAGE,), files=("/tmp/x",), files_total=1)
    before = (workspace / "ds01.toml").read_text()
    ran = ds01("retire", "thesis", "--yes")
    assert ran.code == 0
    assert (workspace / ".ds01/suggested-packages.txt").read_text() == "einops==0.8.0\n"
    assert (workspace / "ds01.toml").read_text() == before
    assert "noted in" in ran.err
    assert "1 changed file outside the workspace" in ran.err
    assert sent(daemon, "POST", "/v1/containers/thesis/retire") == [{"rescue": False, "force": False}]
    ds01("retire", "thesis", "--yes")
    assert (workspace / ".ds01/suggested-packages.txt").read_text() == "einops==0.8.0\n"


def test_p2_packages_are_written_into_the_project_file_with_its_comments_kept(
    ds01: Run, retiring: Callable[..., Daemon], workspace: Path
) -> None:
    dependency = PackageView(name="mpmath", version="1.3", requested=False)
    own = PackageView(name="mine", version="0.1", direct=True)
    retiring(packages=(PACKAGE, dependency, own))
    assert ds01("retire", "thesis", "--keep-packages", "--yes").code == 0
    text = (workspace / "ds01.toml").read_text()
    assert '["numpy", "einops==0.8.0"]  # the usual' in text
    assert "mpmath" not in text
    assert (workspace / ".ds01/suggested-packages.txt").read_text() == (
        "# mine 0.1: from a folder or an address, not from the package index\n"
    )


def test_p2_a_package_is_kept_as_what_it_was_installed_from(
    ds01: Run, retiring: Callable[..., Daemon], workspace: Path
) -> None:
    """The index may have another package of the same name and version: a pin would install that."""
    cloned = "git+https://git.lab.lan/anna/mine@4f1c2d"
    retiring(
        packages=(
            PackageView(name="mine", version="0.1", direct=True, origin=cloned),
            PackageView(name="wheel-here", version="2", direct=True, origin="file:///workspace/dist/wheel_here-2.whl"),
            PackageView(name="pytorch", version="2.1.0", source="conda"),
            PackageView(name="libgcc-ng", version="13.2.0", source="conda"),
        )
    )
    ran = ds01("retire", "thesis", "--keep-packages", "--yes")
    assert file.load(str(workspace)).image.python == ("numpy", f"mine @ {cloned}")
    assert (workspace / ".ds01/suggested-packages.txt").read_text().splitlines() == [
        "# wheel-here 2: from /workspace/dist/wheel_here-2.whl",
        "torch==2.1.0  # conda",
        "# libgcc-ng 13.2.0: the base has its own",
    ]
    assert "ds01 image update --add takes them up" in ran.err.replace("\n", " ")


def test_p2_what_came_from_a_folder_is_promised_to_no_image(
    ds01: Run, retiring: Callable[..., Daemon], workspace: Path
) -> None:
    retiring(packages=(PackageView(name="mine", version="0.1", direct=True, origin="file:///workspace/mine"),))
    said = ds01("retire", "thesis", "--yes").err.replace("\n", " ")
    assert (workspace / ".ds01/suggested-packages.txt").read_text() == "# mine 0.1: from /workspace/mine\n"
    assert "no image can be built from that" in " ".join(said.split())
    assert "takes them up" not in said


@pytest.mark.parametrize("flags", [("--keep-packages",), ()])
def test_c5_with_a_dockerfile_of_ones_own_packages_are_noted_with_the_line_for_it(
    ds01: Run, retiring: Callable[..., Daemon], workspace: Path, flags: tuple[str, ...]
) -> None:
    retiring(packages=(PACKAGE, PackageView(name="ffmpeg", version="", source="apt")))
    (workspace / "Dockerfile").write_text("FROM ds01/minimal\n")
    text = '[project]\nname = "thesis"\n\n[image]\ndockerfile = "Dockerfile"\n'
    (workspace / "ds01.toml").write_text(text)
    said = " ".join(ds01("retire", "thesis", *flags, "--yes").err.split())
    assert (workspace / "ds01.toml").read_text() == text
    assert (workspace / ".ds01/suggested-packages.txt").read_text() == "einops==0.8.0\nffmpeg  # apt\n"
    assert "RUN pip install 'einops==0.8.0'" in said
    assert "apt-get install -y --no-install-recommends ffmpeg" in said
    assert "the next build has them" not in said


def test_a_project_file_that_cannot_be_changed_loses_no_package(
    ds01: Run, retiring: Callable[..., Daemon], workspace: Path
) -> None:
    retiring(packages=(PACKAGE,))
    (workspace / "ds01.toml").write_text("[project\n")
    ran = ds01("retire", "thesis", "--keep-packages", "--yes")
    assert ran.code == 0
    assert (workspace / ".ds01/suggested-packages.txt").read_text() == "einops==0.8.0\n"


def test_retire_for_programs_is_one_value(ds01: Run, retiring: Callable[..., Daemon]) -> None:
    retiring()
    ran = ds01("retire", "thesis", "--yes", "--json")
    assert json.loads(ran.out)["freed"] == ["0"]
    assert set(json.loads(ds01("retire", "thesis", "--dry-run", "--json").out)) >= {"files", "packages", "processes"}


# launch ------------------------------------------------------------------------------------------------


@pytest.fixture
def launching(daemon: Daemon, workspace: Path) -> Callable[..., Daemon]:
    """A ds01d that plans as told and launches."""

    def have(action: str = "create", **plan: Any) -> Daemon:
        container = values.busy("thesis", workspace=str(workspace))
        existing = None if action == "create" else container
        daemon.answers["GET", "/v1/images/settings"] = BuildSettings(
            bases=(BaseView(name="minimal", reference="ds01/minimal:latest", description="", digest="sha256:b"),)
        )
        meant = plan.pop("container", existing)
        daemon.answers["POST", "/v1/launches/plan"] = LaunchPlan(
            action=action, name=meant.name if meant else "thesis", image="ds01-1001/thesis:latest", container=meant,
            steps=("create the container", "start it"), **plan,
        )  # fmt: skip

        planned = daemon.answers["POST", "/v1/launches/plan"]

        def launch(asked: Asked) -> Iterator[LaunchEvent]:
            if (asked.body or {})["if_new"] and (planned.action != "create" or planned.build):
                yield LaunchEvent(step="plan", plan=planned)
                return
            yield LaunchEvent(step="lease", state="begin", text="Leasing a GPU")
            yield LaunchEvent(step="lease", text="Leasing a GPU", seconds=0.01)
            yield LaunchEvent(step="done", container=container)

        daemon.answers["POST", "/v1/launches"] = launch
        return daemon

    return have


def test_launch_sends_what_the_project_file_says(ds01: Run, launching: Callable[..., Daemon], workspace: Path) -> None:
    text = '\n[run]\ngpus = 2\nmemory = "20G"\ntime = "8h"\ndata = ["/data/imagenet", "~/set"]\n'
    text += 'on_stop = "python save.py"\nenv = {SEED = "1"}\n'
    with (workspace / "ds01.toml").open("a") as file:
        file.write(text)
    daemon = launching()
    ran = ds01("launch", "thesis", "--background")
    assert ran.code == 0
    (request,) = sent(daemon, "POST", "/v1/launches")
    assert request["gpus"] == "2"
    assert request["memory_bytes"] == 20 * values.GIB
    assert request["data"] == ["/data/imagenet", str(workspace.parents[1] / "set")]
    assert (request["time_seconds"], request["on_stop"]) == (8 * 3600, "python save.py")
    assert request["environment"] == {"SEED": "1"}
    assert request["workspace"] == str(workspace)
    assert (request["base"], len(request["spec"])) == ("sha256:b", 64)
    assert "thesis is running, with GPU 2:1g.5gb." in ran.err
    assert "Next: ds01 attach thesis" in ran.err


def test_a_launch_of_a_new_container_asks_once_for_all_of_it(ds01: Run, launching: Callable[..., Daemon]) -> None:
    daemon = launching()
    assert ds01("launch", "thesis", "--background").code == 0
    assert [asked.path.partition("?")[0] for asked in daemon.asked] == ["/v1/images/settings", "/v1/launches"]


def test_ctrl_c_while_a_launch_has_begun_says_that_it_may_come_up(
    ds01: Run, launching: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    launching()
    monkeypatch.setattr(file, "keep", interrupted)
    assert "thesis may still come up" in ds01("launch", "thesis", "--background").err


def test_launch_keeps_the_editors_container_like_the_project_file(
    ds01: Run, launching: Callable[..., Daemon], workspace: Path
) -> None:
    launching()
    place = workspace / ".devcontainer/devcontainer.json"
    place.parent.mkdir()
    place.write_text(editor_files.devcontainer("thesis", 1, RunDefaults()))
    text = (workspace / "ds01.toml").read_text()
    (workspace / "ds01.toml").write_text(text + '\n[run]\ngpus = 0\ndata = ["/data/imagenet"]\n')
    assert ds01("launch", "thesis", "--background", "--dry-run").code == 0
    assert "runArgs" in json.loads(place.read_text())
    assert ds01("launch", "thesis", "--background").code == 0
    config = json.loads(place.read_text())
    assert ("runArgs" in config, config["mounts"]) == (
        False, ["source=/data/imagenet,target=/data,type=bind,readonly"],
    )  # fmt: skip


def test_what_is_typed_wins_over_the_project_file(ds01: Run, launching: Callable[..., Daemon]) -> None:
    daemon = launching()
    ds01("launch", "thesis", "--gpus", "0", "--mem", "8G", "--name", "exp-2", "--data", "/srv", "--background")
    (request,) = sent(daemon, "POST", "/v1/launches")
    asked = {name: request[name] for name in ("gpus", "memory_bytes", "name", "data")}
    assert asked == {"gpus": "0", "memory_bytes": 8 * values.GIB, "name": "exp-2", "data": ["/srv"]}


def test_without_a_terminal_launch_does_not_step_in(ds01: Run, launching: Callable[..., Daemon]) -> None:
    launching()
    ran = ds01("launch", "thesis")
    assert ran.code == 0
    assert "Next: ds01 attach thesis" in ran.err


def test_launch_for_programs_is_the_container(ds01: Run, launching: Callable[..., Daemon]) -> None:
    launching()
    assert json.loads(ds01("launch", "thesis", "--json").out)["name"] == "thesis"


def test_a_dry_run_of_launch_tells_the_plan_and_writes_nothing(
    ds01: Run, launching: Callable[..., Daemon], workspace: Path
) -> None:
    daemon = launching(build="the project has no image yet")
    ran = ds01("launch", "thesis", "--dry-run")
    assert "1. create the container" in ran.err
    assert "Nothing was changed." in ran.err
    assert sent(daemon, "POST", "/v1/launches") == []
    assert [path.name for path in workspace.iterdir()] == ["ds01.toml"]
    assert json.loads(ds01("launch", "thesis", "--dry-run", "--json").out)["action"] == "create"


def test_c3_a_stale_container_is_told_of_and_left_alone(ds01: Run, launching: Callable[..., Daemon]) -> None:
    daemon = launching("attach", stale="its image was rebuilt since")
    ran = ds01("launch", "thesis", "--background")
    assert "thesis is stale: its image was rebuilt since." in ran.err
    assert "--recreate" in ran.err
    assert [request["recreate"] for request in done(daemon)] == [False]


def test_an_image_that_is_behind_is_asked_about(ds01: Run, launching: Callable[..., Daemon]) -> None:
    daemon = launching(build="the project file changed since the image was built")
    ran = ds01("launch", "thesis", "--background")
    assert ran.code == 2
    assert "--no-build" in ran.err
    assert done(daemon) == []
    assert ds01("launch", "thesis", "--background", "--no-build").code == 0
    assert len(done(daemon)) == 1


def test_recreate_shows_what_goes_before_it_replaces(
    ds01: Run, launching: Callable[..., Daemon], workspace: Path
) -> None:
    daemon = launching("recreate")
    daemon.answers["GET", "/v1/containers/thesis/retire"] = preview(workspace, files=("/tmp/x",), files_total=1)
    ran = ds01("launch", "thesis", "--recreate", "--background")
    assert ran.code == 2
    assert "/tmp/x" in ran.err
    assert done(daemon) == []
    assert ds01("launch", "thesis", "--recreate", "--background", "--yes").code == 0
    assert [request["recreate"] for request in done(daemon)] == [True]


def test_an_unknown_project_gets_the_nearest(ds01: Run, daemon: Daemon, workspace: Path) -> None:
    ran = ds01("launch", "tesis")
    assert ran.code == 4
    assert "thesis" in ran.err


@pytest.mark.parametrize(("name", "better"), [("Thesis", "thesis"), ("../x", "x"), ("my exp", "my-exp")])
def test_a_name_that_cannot_be_is_refused_with_the_corrected_form(
    ds01: Run, daemon: Daemon, name: str, better: str
) -> None:
    ran = ds01("launch", name)
    assert ran.code == 2
    assert better in ran.err


def test_a_broken_project_file_is_told_with_its_place(ds01: Run, daemon: Daemon, workspace: Path) -> None:
    (workspace / "ds01.toml").write_text('[project]\nname = "thesis"\n[image]\npython = "numpy"\n')
    ran = ds01("launch", "thesis")
    assert ran.code == 2
    assert "ds01.toml:4:" in ran.err


def test_a_broken_project_file_keeps_nobody_out_of_a_container(
    ds01: Run, launching: Callable[..., Daemon], workspace: Path
) -> None:
    daemon = launching("attach")
    daemon.have(values.busy("thesis", workspace=str(workspace)))
    (workspace / "ds01.toml").write_text("[project\n")
    ran = ds01("launch", "thesis", "--background")
    assert ran.code == 0
    assert "used as it is" in ran.err


def test_another_image_needs_no_project(ds01: Run, launching: Callable[..., Daemon], tmp_path: Path) -> None:
    daemon = launching()
    assert ds01("launch", "exp", "--image", "python:3.12", "--background").code == 0
    (request,) = sent(daemon, "POST", "/v1/launches")
    assert (request["image"], request["workspace"]) == ("python:3.12", str(tmp_path / "workspace/exp"))
    assert (tmp_path / "workspace/exp").is_dir()


def test_an_image_that_is_missing_elsewhere_is_told(ds01: Run, launching: Callable[..., Daemon]) -> None:
    daemon = launching()
    daemon.answers["POST", "/v1/launches"] = Ds01Error(NO_IMAGE, "There is no image 'nope'.")
    assert ds01("launch", "exp", "--image", "nope").code == 4


def test_a_launch_that_ends_in_the_middle_is_a_sentence(ds01: Run, launching: Callable[..., Daemon]) -> None:
    daemon = launching()
    daemon.answers["POST", "/v1/launches"] = iter([LaunchEvent(step="lease")])
    ran = ds01("launch", "thesis", "--background")
    assert ran.code == 1
    assert "ended the launch without a result" in ran.err


def test_the_project_one_stands_in_is_meant(
    ds01: Run, daemon: Daemon, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "src").mkdir()
    monkeypatch.chdir(workspace / "src")
    daemon.answers["POST", "/v1/containers/thesis/pause"] = values.container("thesis", "paused")
    assert ds01("pause").code == 0


def test_the_only_container_is_meant(ds01: Run, daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    daemon.have(values.container("exp"))
    daemon.answers["POST", "/v1/containers/exp/pause"] = values.container("exp", "paused")
    assert ds01("pause").code == 0
    daemon.have(values.container("exp"), values.container("other"))
    ran = ds01("pause")
    assert ran.code == 2
    assert "exp, other" in ran.err


def test_attaching_needs_a_terminal_and_changes_nothing(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.container("exp"))
    ran = ds01("attach", "exp")
    assert ran.code == 2
    assert "ds01 exec exp -- COMMAND" in ran.err


def test_what_does_not_run_cannot_be_entered(ds01: Run, daemon: Daemon) -> None:
    daemon.have(values.container("exp", "stopped", reason="idle for 30m"), values.container("other", "paused"))
    assert "exp is stopped: idle for 30m." in ds01("attach", "exp").err
    assert "Try: ds01 unpause other" in ds01("exec", "other", "ls").err


def test_names_of_old_are_the_same_commands(ds01: Run, launching: Callable[..., Daemon]) -> None:
    daemon = launching()
    for words in (("container", "deploy"), ("project", "launch"), ("container", "launch")):
        assert ds01(*words, "thesis", "--background").code == 0
    assert len(sent(daemon, "POST", "/v1/launches")) == 3


def test_options_that_count_for_nothing_now_are_said(ds01: Run, launching: Callable[..., Daemon]) -> None:
    launching("attach", gpus="1")
    ran = ds01("launch", "thesis", "--gpus", "2", "--mem", "20G", "--background")
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert "thesis runs already, with 1 GPU; --gpus 2 and --mem 20G were not heeded." in said
    assert "To change it: ds01 launch thesis --gpus 2 --mem 20G --recreate" in said
    assert "heeded" not in ds01("launch", "thesis", "--gpus", "1", "--background").err


def test_what_was_not_heeded_is_said_of_the_container_that_is_meant(
    ds01: Run, launching: Callable[..., Daemon], tmp_path: Path
) -> None:
    launching("start", gpus="1", container=values.container("exp", "stopped"))
    said = " ".join(ds01("launch", "thesis", "--name", "exp", "--data", "/d 1", "--background").err.split())
    assert "exp is there already; --data '/d 1' was not heeded." in said
    assert "To change it: ds01 launch thesis --name exp --data '/d 1' --recreate" in said


def test_what_an_editor_launches_is_told_with_its_gpu(ds01: Run, launching: Callable[..., Daemon]) -> None:
    launching()
    ran = ds01("code", "thesis")
    assert ran.code == 0
    assert "thesis is running, with GPU 2:1g.5gb." in ran.err
    assert json.loads(ds01("code", "thesis", "--json").out)["container"] == "thesis"


# leaving a shell -----------------------------------------------------------------------------------------


def left(*, killed: bool = False) -> None:
    farewell(Call(path="launch", talk=talk()), "exp", killed=killed)


def test_e1_leaving_says_that_it_goes_on_and_what_it_holds(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    daemon.have(values.busy("exp"))
    left()
    said = capsys.readouterr().err
    assert "exp goes on, with GPU 2:1g.5gb." in said
    assert "ds01 retire exp" in said


def test_a_shell_that_went_with_its_container_says_so(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    seen = iter([(values.busy("exp"),), (values.container("exp", "stopped", reason="idle for 30m"),), ()])
    daemon.answers["GET", "/v1/containers"] = lambda _: next(seen)
    left(killed=True)
    assert "exp is stopped: idle for 30m." in capsys.readouterr().err
    left()
    said = capsys.readouterr().err
    assert "exp is gone; the files in its workspace stay." in said
    assert "ds01 why exp" in said


def test_without_ds01d_a_shell_ends_without_a_claim(daemon: Daemon, capsys: pytest.CaptureFixture[str]) -> None:
    daemon.answers["GET", "/v1/containers"] = Ds01Error(INTERNAL, "ds01d is in trouble.")
    left()
    assert capsys.readouterr().err == ""


def test_p2_what_keeping_packages_would_change_is_shown_before_it_is_asked(
    retiring: Callable[..., Daemon], workspace: Path, tmp_path: Path
) -> None:
    upgraded = PackageView(name="numpy", version="2.1.0", before="1.26.4")
    daemon = retiring(packages=(PACKAGE, upgraded, PackageView(name="ffmpeg", version="", source="apt")))
    code, said = at_a_terminal(daemon, tmp_path, "true", "retire", "thesis", answers="y\ny\n")
    assert code == 0
    asked = said.index("Write these packages into the project file?")
    for line in ("+ einops==0.8.0", "numpy → numpy==2.1.0", "+ ffmpeg (apt)"):
        assert line in said[:asked]
    assert '["numpy==2.1.0", "einops==0.8.0"]' in (workspace / "ds01.toml").read_text()
