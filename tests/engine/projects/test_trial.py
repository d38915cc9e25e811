"""Resolving before the build: what would be installed, and which two lines exclude each other, inside the base."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.domain.errors import Ds01Error
from ds01.projects import kinds, scaffold
from ds01.projects.kinds import Kind
from ds01.projects.packages import canonical
from ds01.projects.scaffold import Wish
from tests.engine.projects.conftest import Bench, Desk, Index, everything

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]


def foreseen(bench: Bench, desk: Desk, *lines: str, base: str = "minimal") -> tuple[str, ...]:
    found = bench.foresee(desk.project("ahead", f"base = '{base}'\npython = {list(lines)}"))
    assert found.unknown == ""
    return found.installs


def refused(bench: Bench, desk: Desk, *lines: str, base: str = "minimal") -> tuple[str, str]:
    with pytest.raises(Ds01Error) as failed:
        foreseen(bench, desk, *lines, base=base)
    return failed.value.problem.message, failed.value.problem.hint


def test_c5_it_says_what_would_be_installed_and_leaves_nothing(bench: Bench, desk: Desk) -> None:
    bench.build(desk.project("ahead", "python = []"))
    before = everything(bench)
    found = foreseen(bench, desk, "requests[socks]==2.31.0", "tqdm; python_version < '3'", "six<1.16")
    assert {"requests==2.31.0", "six==1.15.0"} <= set(found)
    assert any(line.startswith("pysocks==") for line in found)
    assert not any(line.startswith("tqdm") for line in found)
    assert everything(bench) == before


def test_c5_requirements_files_with_constraints_and_hashes_are_resolved(bench: Bench, desk: Desk, index: Index) -> None:
    files = {
        "requirements.txt": "-c pins.txt\n-r more.txt\nidna\n",
        "pins.txt": "idna==3.6\n",
        "more.txt": "colorama<0.4.6\n",
    }
    found = bench.foresee(desk.project("files", "requirements = 'requirements.txt'", files))
    assert set(found.installs) == {"idna==3.6", "colorama==0.4.5"}
    lines = [*index.options, f"ds01-probe==1.0 --hash=sha256:{index.sha256}"]
    assert foreseen(bench, desk, *lines) == ("ds01-probe==1.0",)


def test_a_package_against_a_line_of_ones_own(bench: Bench, desk: Desk) -> None:
    message, hint = refused(bench, desk, "requests==2.31.0", "idna>=4")
    assert "requests==2.31.0 needs idna>=2.5,<4, and you ask for idna>=4" in message
    assert hint == 'ds01 image update ahead --add "idna>=2.5,<4"'
    assert foreseen(bench, desk, "requests==2.31.0", "idna>=2.5,<4")


def test_two_packages_against_each_other(bench: Bench, desk: Desk, index: Index) -> None:
    message, _ = refused(bench, desk, *index.options, "ds01-needy", "ds01-older==1.0")
    assert "ds01-needy" in message
    assert "needs ds01-probe>=2" in message
    assert "needs ds01-probe<2" in message


def test_names_versions_and_pythons_that_are_not_there(bench: Bench, desk: Desk, index: Index) -> None:
    assert "there is no Python package 'ds01-no-such'" in refused(bench, desk, *index.options, "ds01-no-such")[0]
    assert "no version of ds01-probe fits 'ds01-probe>=9'; there is only ds01-probe<=" in refused(
        bench, desk, *index.options, "ds01-probe>=9"
    )[0]  # fmt: skip
    assert "needs Python >=3.90, and the base has another one" in refused(bench, desk, *index.options, "ds01-future")[0]


def test_an_index_that_does_not_answer_is_left_to_the_build(bench: Bench, desk: Desk) -> None:
    found = bench.foresee(desk.project("lost", "python = ['--index-url http://127.0.0.1:9/simple', 'six']"))
    assert "refused" in found.unknown


def test_what_the_base_brings_is_kept_also_when_no_index_has_it(bench: Bench, desk: Desk, index: Index) -> None:
    """Like a torch 2.4.0+cu121: its local version is on no index, and what is not listed anew must not replace it."""
    make = (
        "RUN python3 -c \"import os; p='/usr/lib/python3/dist-packages/ds01_probe-1.0+cu121.dist-info'; os.mkdir(p); "
        "open(p+'/METADATA','w').write('Metadata-Version: 2.1\\nName: ds01-probe\\nVersion: 1.0+cu121\\n')\""
    )
    text = f"FROM ds01/minimal:latest\n{make}\n"
    base = bench.build(desk.project("cuda", "dockerfile = 'Dockerfile'", {"Dockerfile": text})).reference
    assert foreseen(bench, desk, *index.options, "ds01-probe", base=base) == ()
    assert foreseen(bench, desk, *index.options, "ds01-older", base=base) == ("ds01-older==1.0",)
    for lines in (["ds01-needy"], ["ds01-needy", "ds01-probe>=1"]):
        message, _ = refused(bench, desk, *index.options, *lines, base=base)
        assert "needs ds01-probe>=2, and the base brings ds01-probe==1.0+cu121" in message
        with pytest.raises(Ds01Error, match="would replace what the base image brings"):
            bench.build(desk.project("kept", f"base = '{base}'\npython = {[*index.options, *lines]}"))
    assert "ds01-probe==2.0" in foreseen(bench, desk, *index.options, "ds01-needy", "ds01-probe==2.0", base=base)


@pytest.mark.parametrize("kind", kinds.KINDS.values(), ids=lambda kind: kind.name)
def test_what_every_type_starts_with_can_be_installed_together(bench: Bench, tmp_path: Path, kind: Kind) -> None:
    """The whole set, as ``ds01 init`` writes it; only metadata is fetched."""
    plan = scaffold.plan(Wish(name=f"new-{kind.name}", kind=kind), str(tmp_path))
    scaffold.create(plan)
    found = bench.foresee(Path(plan.folder))
    assert found.unknown == ""
    assert {line.partition("==")[0] for line in found.installs} >= {canonical(name) for name in kinds.packages(kind)}
