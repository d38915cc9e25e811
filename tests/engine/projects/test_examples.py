"""The program each type starts with does what it says: with the type's own packages, in the image built from them.

Where the whole set is too large to be built for a test, what stands in for it is said in ``SMALL``. The types around
torch are built on a base that brings it, as the catalogue's ``pytorch`` does; that one is gigabytes, so a torch for the
CPU on ``minimal`` stands in for it. On a GPU the same programs run in ``tests/hardware/test_examples.py``.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from dev import torch_cpu

from ds01.projects import kinds, scaffold
from ds01.projects.dockerfile import ENVIRONMENT
from ds01.projects.scaffold import Wish
from ds01.wire.images import BaseView
from tests.engine.projects.conftest import ADA, MINIMAL, Bench, Desk

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]

LANGUAGE = ("transformers", "peft")  # of both sets what the examples use: one layer for two images
SMALL = {
    "data": kinds.KINDS["data"].packages,
    "audio": kinds.KINDS["audio"].packages,
    "ts": ("statsmodels",),  # of the set; prophet and darts compile for minutes and the example does without
    "ml": ("scikit-learn", "xgboost-cpu"),  # the same xgboost without 300 MB for many GPUs
    "cv": ("opencv-python-headless",),  # the usual torchvision, which timm wants too, fits no torch for the CPU
    "nlp": LANGUAGE,
    "rl": kinds.KINDS["rl"].packages,
    "llm": LANGUAGE,
}
TORCH = ("cv", "nlp", "rl", "llm")
TORCH_BASE = BaseView(name="pytorch", reference="ds01/torch-cpu:latest", description="minimal with torch for the CPU")


def project(home: Path, kind: str, base: str = "") -> Path:
    """A new project of this type, as ``ds01 init`` makes it."""
    plan = scaffold.plan(Wish(name=f"try-{kind}", kind=kinds.KINDS[kind], base=base, lean=True), str(home))
    scaffold.create(plan)
    return Path(plan.folder)


def result(folder: Path) -> dict[str, object]:
    """What the example kept in outputs."""
    found: dict[str, object] = json.loads((folder / "outputs/example.json").read_text())
    assert len(list((folder / "outputs").iterdir())) > 2
    return found


def check(kind: str, found: dict[str, object]) -> None:
    """The numbers are those of something that learned, heard or counted right."""
    wanted = {
        "data": lambda: found["agree"] is True and found["rows"] == 1_000_000,
        "audio": lambda: found["heard"] == found["played"],
        "ts": lambda: 0 < float(str(found["mean_absolute_error"])) < 5,
        "ml": lambda: float(str(found["accuracy"])) > 0.9,
        "cv": lambda: float(str(found["accuracy"])) > 0.9,
        "nlp": lambda: float(str(found["accuracy"])) > 0.9,
        "rl": lambda: float(str(found["steps_after"])) > 3 * float(str(found["steps_before"])),
        "llm": lambda: "measure, write it" in str(found["said"]),
    }
    assert wanted[kind](), found


def tried(bench: Bench, home: Path, kind: str, base: str = "") -> str:
    """Make a project of this type, build its image and run its example there as its owner. Returns the image's id."""
    folder = project(home, kind, base)
    file = folder / "ds01.toml"
    listed = ", ".join(f'"{name}"' for name in SMALL[kind])
    head, _, rest = file.read_text().partition("python = [")
    file.write_text(f"{head}python = [{listed}]{rest.partition(']')[2]}")
    image = bench.build(folder).image_id
    subprocess.run(["chown", "-R", f"{ADA.uid}:{ADA.gid}", str(home)], check=True)
    for above in (home, *home.parents[:2]):
        above.chmod(0o755)
    said = bench.inside(image, "cd /workspace && python scripts/example.py", "-v", f"{folder}:/workspace")
    assert "outputs" in said
    check(kind, result(folder))
    assert (folder / "outputs/example.json").stat().st_uid == ADA.uid
    return image


def test_every_type_is_tried() -> None:
    assert set(SMALL) == {name for name, kind in kinds.KINDS.items() if kind.example}


@pytest.fixture(scope="session")
def with_torch(bench: Bench) -> Bench:
    """The bench with a base ``pytorch``, which stands in for the catalogue's: ``minimal``, and torch for the CPU."""
    wheel = torch_cpu.wheel()
    install = "pip install --quiet --no-cache-dir --no-compile --break-system-packages --root-user-action ignore"
    try:
        bench.docker("run", "--name", "torch", "--volume", f"{wheel.parent}:/wheels:ro", MINIMAL.reference,
                     "sh", "-c", f"{install} numpy /wheels/{wheel.name}")  # fmt: skip
        bench.docker("commit", "--change", 'CMD ["bash"]', "torch", TORCH_BASE.reference)
    finally:
        bench.docker("rm", "torch")
    return replace(bench, settings=replace(bench.settings, bases=(MINIMAL, TORCH_BASE)))


@pytest.mark.parametrize("kind", [kind for kind in SMALL if kind not in TORCH])
def test_the_example_runs_in_its_image(bench: Bench, tmp_path: Path, kind: str) -> None:
    tried(bench, tmp_path, kind)


@pytest.mark.parametrize("kind", TORCH)
def test_the_example_runs_with_the_torch_of_its_base(with_torch: Bench, tmp_path: Path, kind: str) -> None:
    image = tried(with_torch, tmp_path, kind, base=TORCH_BASE.name)
    found = "import importlib.metadata as m; print(m.version('torch'), m.distribution('torch').locate_file(''))"
    version, where = with_torch.docker("run", "--rm", image, "python", "-c", found).split()
    assert version == torch_cpu.VERSION
    assert not where.startswith(ENVIRONMENT)


def test_the_torch_of_the_base_is_kept_in_what_is_foreseen(with_torch: Bench, desk: Desk) -> None:
    lines = list(kinds.KINDS["rl"].packages)
    found = with_torch.foresee(desk.project("ahead", f"base = 'pytorch'\npython = {lines}"))
    assert not found.unknown
    names = {line.partition("==")[0] for line in found.installs}
    assert {"gymnasium", "stable-baselines3"} <= names
    assert not {"torch", "numpy"} & names
