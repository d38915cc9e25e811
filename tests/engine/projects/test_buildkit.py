"""Images that BuildKit builds: the same ones, told alike, with what pip fetched kept for the next build."""

from __future__ import annotations

import pytest

from ds01.domain.errors import BUILD_FAILED, Ds01Error
from ds01.domain.labels import Label
from ds01.projects.build import inspect
from tests.engine.projects.conftest import ADA, Bench, Desk, Index
from tests.engine.projects.test_packages import versions

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]

PROBE = "ds01_probe-1.0-py3-none-any.whl"


def told(bench: Bench) -> list[tuple[str, str]]:
    """The steps with a title, as they were told."""
    return [(event.state, event.title) for event in bench.events if event.title and event.state in ("begin", "done")]


def test_what_one_build_fetched_the_next_need_not(kit: Bench, bench: Bench, desk: Desk, index: Index) -> None:
    lines = [*index.options, "ds01-probe==1.0"]
    first = kit.build(desk.project("kept", f"python = {lines}"))
    assert versions(kit, first.image_id)["ds01-probe"] == "1.0"
    assert index.fetched == [PROBE]
    second = kit.build(desk.project("kept", f"python = {[*lines, 'ds01-older']}"))
    assert "ds01-older" in versions(kit, second.image_id)
    assert index.fetched == [PROBE, "ds01_older-1.0-py3-none-any.whl"]
    assert kit.step("the Python environment").cached
    assert not kit.step("Python packages").cached
    assert any("Using cached" in event.text and PROBE in event.text for event in kit.events)
    assert kit.inside(second.image_id, "ls -A /mnt") == ""
    again = bench.build(desk.root / "kept")
    assert (again.changed, again.image_id) == (False, second.image_id)  # whoever builds: the recipe is the same
    kit.build(desk.root / "kept", anew=True)
    assert index.fetched.count(PROBE) == 2


def test_another_base_or_debian_package_has_a_cache_of_its_own(kit: Bench, desk: Desk, index: Index) -> None:
    """pip keeps what it compiled, too, and that may fit nothing else."""
    lines = [*index.options, "ds01-probe==1.0"]
    kit.build(desk.project("plain", f"python = {lines}"))
    kit.build(desk.project("twin", f"python = {[*lines, 'ds01-older']}"))
    assert index.fetched.count(PROBE) == 1
    kit.build(desk.project("more", f"python = {lines}\napt = ['less']"))
    assert index.fetched.count(PROBE) == 2


def test_it_is_the_same_image_told_alike(kit: Bench, bench: Bench, desk: Desk, index: Index) -> None:
    folder = desk.project("same", f"python = {[*index.options, 'ds01-probe==1.0']}")
    found = []
    for builder in (kit, bench):
        built = builder.build(folder, anew=builder is bench)
        seen = inspect(builder.socket, built.image_id)
        assert seen is not None
        seen["Config"]["Labels"].pop(Label.BUILT_AT)
        config = {key: seen["Config"].get(key) for key in ("Labels", "Env", "User", "WorkingDir", "Cmd", "Entrypoint")}
        owned = builder.inside(built.image_id, "id; find /opt/ds01 /home -maxdepth 2 -printf '%p %u:%g\\n' | sort")
        found.append((config, owned, told(builder)))
        assert f"uid={ADA.uid}" in owned
    assert found[0] == found[1]


def test_a_build_that_fails_says_why_and_leaves_nothing(kit: Bench, desk: Desk) -> None:
    with pytest.raises(Ds01Error) as failed:
        kit.build(desk.project("broken", "python = ['ds01-there-is-no-such-package']"))
    problem = failed.value.problem
    assert problem.kind is BUILD_FAILED
    assert "there is no Python package 'ds01-there-is-no-such-package'" in problem.message
    assert "It failed at: Python packages." in problem.reason
    assert inspect(kit.socket, "ds01-1722830498/broken:latest") is None
