"""Looking into real images: packages, layers, what a build changed; nothing is left of the look."""

from __future__ import annotations

import json

import pytest
from dev import tiny

from ds01.client.docker import Docker
from ds01.domain.errors import Ds01Error
from ds01.domain.labels import Label
from ds01.projects import inside
from ds01.projects.build import inspect, labels
from tests.engine.projects.conftest import Bench, Desk, everything

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]


def test_two_builds_are_compared_by_their_packages_and_gone_back_to(bench: Bench, desk: Desk) -> None:
    first = bench.build(desk.project("story", "python = ['six==1.16.0']"))
    second = bench.build(desk.project("story", "python = ['six==1.17.0', 'idna==3.6']\napt = ['less']"))
    before = everything(bench)
    old = inside.packages(bench.socket, first.tag, first.image_id)
    new = inside.packages(bench.socket, second.tag, second.image_id)
    assert everything(bench) == before
    changes = {(each.name, each.before, each.after) for each in inside.difference(old, new) if each.source == "python"}
    assert changes == {("six", "1.16.0", "1.17.0"), ("idna", "", "3.6")}
    assert any(each.name == "bash" and each.source == "debian" for each in old)
    Docker(bench.socket).tag(first.tag, first.reference.rpartition(":")[0], "latest")
    now = inspect(bench.socket, first.reference)
    assert now is not None
    assert now["Id"] == first.image_id
    assert json.loads(labels(now)[Label.PACKAGES])["python"] == ["six==1.16.0"]


def test_layers_are_told_in_words_and_the_base_is_one(bench: Bench, desk: Desk) -> None:
    built = bench.build(desk.project("layers", "python = ['six']\napt = ['less']"))
    base = inspect(bench.socket, "ds01/minimal:latest")
    assert base is not None
    found = inside.layers(bench.socket, built.reference, str(base["Id"]))
    titles = [layer.title for layer in found]
    assert titles[0] == "the base"
    assert titles[-1] == "Python packages"
    assert {"Debian packages", "your account", "the Python environment"} <= set(titles)
    whole = inspect(bench.socket, built.reference)
    assert whole is not None
    assert abs(sum(layer.size_bytes for layer in found) - whole["Size"]) < 10_000_000


def test_an_image_without_python_or_a_shell_is_told(bench: Bench, desk: Desk) -> None:
    tiny.install(bench.socket)
    assert inside.packages(bench.socket, tiny.REFERENCE, "") == ()
    folder = desk.project("bare", "dockerfile = 'Dockerfile'", {"Dockerfile": "FROM scratch\nCOPY x /\n", "x": "x"})
    bare = bench.build(folder)
    with pytest.raises(Ds01Error, match="could not be looked into"):
        inside.packages(bench.socket, bare.reference, bare.image_id)
