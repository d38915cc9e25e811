"""Bases: fetched from a real registry, pinned by digest, and what is said when there is no registry."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev import tiny
from dev.registry import Registry, serving

from ds01.client.docker import Docker
from ds01.domain.errors import Ds01Error
from ds01.projects.build import inspect
from ds01.wire.images import BaseView
from tests.engine.projects.conftest import Bench, Desk

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    (tmp_path / "registry").mkdir()
    with serving(tmp_path / "registry") as running:
        yield running


def test_a_base_is_fetched_by_tag_and_by_digest(bench: Bench, registry: Registry) -> None:
    tiny.install(bench.socket)
    name = f"{registry.host}/bases/tiny"
    bench.docker("tag", tiny.REFERENCE, f"{name}:1")
    bench.docker("push", "-q", f"{name}:1")
    digest = bench.docker("image", "inspect", "-f", "{{index .RepoDigests 0}}", f"{name}:1")
    bench.docker("rmi", f"{name}:1")
    for reference in (f"{name}:1", digest):
        assert inspect(bench.socket, reference) is None
        said = [message.get("error", "") for message in Docker(bench.socket).pull(reference)]
        assert not any(said)
        assert inspect(bench.socket, reference) is not None
        bench.docker("rmi", reference)
    with pytest.raises(Ds01Error, match="Manifest unknown"):
        list(Docker(bench.socket).pull(f"{name}:2"))


def test_a_registry_that_is_not_there_leaves_the_bases_that_are(bench: Bench, desk: Desk) -> None:
    far = BaseView(name="far", reference="127.0.0.1:9/far:1", description="")
    here = tuple(dataclasses.replace(base, digest="sha256:x") for base in bench.settings.bases)
    cut_off = Bench(socket=bench.socket, settings=dataclasses.replace(bench.settings, bases=(*here, far)))
    with pytest.raises(Ds01Error) as failed:
        cut_off.build(desk.project("far", "base = 'far'"))
    assert "The base 127.0.0.1:9/far:1 could not be fetched" in failed.value.problem.message
    assert "the image registry cannot be reached" in failed.value.problem.message
    assert 'base = "minimal" under [image]' in failed.value.problem.hint
    assert cut_off.build(desk.project("near", "base = 'minimal'\npython = []")).changed
