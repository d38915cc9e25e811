"""Images as a student changes them, through the whole product: resolve, build, compare, go back, retire and keep."""

from __future__ import annotations

import pytest
from dev import programs
from dev.promises.lab import Lab
from dev.promises.terminal import Terminal

from tests.e2e.refusals import refused

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]


def test_c5_a_conflict_is_told_before_the_build_and_mended_by_its_own_advice(lab: Lab) -> None:
    folder = lab.ada.project("clash", "requests==2.31.0")
    before = (folder / "ds01.toml").read_text()
    said = refused(lab.ada.tries("image", "update", "clash", "--add", "idna>=4"), 1, "idna>=2.5,<4")
    assert 'ds01 image update clash --add "idna>=2.5,<4"' in " ".join(said.split())
    assert (folder / "ds01.toml").read_text() == before
    lab.ada.ds01("image", "update", "clash", "--add", "idna>=2.5,<4")
    assert len(lab.ada.data("image", "history", "clash")) == 2


def test_builds_are_listed_compared_and_gone_back_to(lab: Lab) -> None:
    folder = lab.ada.project("story", "six==1.16.0")
    assert lab.ada.data("image", "bases")[0]["name"] == "minimal"
    lab.ada.launches("story")
    foreseen = lab.ada.data("image", "update", "story", "--add", "six==1.17.0", "--add", "idna==3.6", "--dry-run")
    assert {"six==1.17.0", "idna==3.6"} <= set(foreseen["packages"])
    lab.ada.ds01("image", "update", "story", "--add", "six==1.17.0", "--add", "idna==3.6")
    new, old = lab.ada.data("image", "history", "story")
    assert (new["containers"], old["containers"]) == ([], ["story"])
    changes = lab.ada.data("image", "diff", "story")["changes"]
    assert {(each["name"], each["before"], each["after"]) for each in changes} == {
        ("six", "1.16.0", "1.17.0"), ("idna", "", "3.6"),
    }  # fmt: skip
    shown = lab.ada.data("image", "show", "story")
    assert shown["layers"][0]["title"] == "the base"
    assert "Python packages" in {layer["title"] for layer in shown["layers"]}
    assert "# buildkit" in lab.ada.docker("history", "--no-trunc", f"ds01-{lab.ada.uid}/story")  # the guard is there
    assert any(each["name"] == "six" for each in shown["packages"])
    lab.ada.ds01("image", "rollback", "story", "--yes")
    assert lab.ada.data("image", "show", "story")["image"]["id"] == old["id"]
    assert lab.ada.data("image", "show", "story")["image"]["stale"] == ""
    assert '"six==1.16.0"' in (folder / "ds01.toml").read_text()
    assert lab.ada.container("story")["stale"] == ""
    refused(lab.ben.tries("image", "history", "story"), 4, "no image")
    lab.ada.ds01("retire", "story", "--yes")


@pytest.mark.parametrize("while_it", ["Resolving the packages", "Building the image of broken-off"])
def test_ctrl_c_leaves_nothing_half_done(lab: Lab, while_it: str) -> None:
    folder = lab.ada.project("broken-off", "six")
    before = (folder / "ds01.toml").read_text(), (folder / "Dockerfile").read_text()
    images = lab.ada.data("image", "history", "broken-off")
    ds01 = str(lab.ada.commands / "ds01")
    terminal = Terminal(lab.ada.person, ds01, "image", "update", "broken-off", "--add", "idna", "--add-apt", "less")
    terminal.shows(while_it)
    terminal.types("\x03")
    assert terminal.ends() == 130
    assert ((folder / "ds01.toml").read_text(), (folder / "Dockerfile").read_text()) == before
    assert lab.ada.data("image", "history", "broken-off") == images
    assert programs.until(lambda: lab.ada.docker("ps", "-aq") == "", 60)


def test_nobody_else_looks_into_an_image(lab: Lab) -> None:
    lab.ada.project("hers", "six")
    name = f"ds01-{lab.ada.uid}/hers"
    refused(lab.ben.tries("image", "show", name), 4, "no image")
    refused(lab.ben.tries("image", "diff", name, name), 4, "no image")


def test_p2_what_uv_installed_is_kept_without_what_came_along(lab: Lab) -> None:
    folder = lab.ada.project("tried", "six")
    lab.ada.launches("tried")
    lab.ada.inside("tried", "pip install -q uv && uv pip install -q 'requests==2.31.0'")
    packages = {each["name"]: each["requested"] for each in lab.ada.data("retire", "tried", "--dry-run")["packages"]}
    assert packages["requests"]
    assert not packages["idna"]
    lab.ada.ds01("retire", "tried", "--keep-packages", "--yes")
    assert '"requests==2.31.0"' in (folder / "ds01.toml").read_text()
    assert "idna" not in (folder / "ds01.toml").read_text()
