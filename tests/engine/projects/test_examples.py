"""The program each type starts with does what it says: with the type's own packages, in the image built from them.

Where the whole set is too large to be built for a test, what stands in for it is said in ``SMALL``. The types around
torch are tried where there is one (``tests/hardware/test_examples.py``): its packages are gigabytes.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ds01.projects import kinds, scaffold
from ds01.projects.scaffold import Wish
from tests.engine.projects.conftest import Bench

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.slow]

SMALL = {
    "data": kinds.KINDS["data"].packages,
    "audio": kinds.KINDS["audio"].packages,
    "ts": ("statsmodels",),  # of the set; prophet and darts compile for minutes and the example does without
    "ml": ("scikit-learn", "xgboost-cpu"),  # the same xgboost without 300 MB for many GPUs
}
TORCH = ("cv", "nlp", "rl", "llm")


def project(home: Path, kind: str) -> Path:
    """A new project of this type, as ``ds01 init`` makes it."""
    plan = scaffold.plan(Wish(name=f"try-{kind}", kind=kinds.KINDS[kind], lean=True), str(home))
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
        "rl": lambda: float(str(found["steps_after"])) > float(str(found["steps_before"])),
        "llm": lambda: "measure, write it" in str(found["said"]),
    }
    assert wanted[kind](), found


def test_every_type_is_tried() -> None:
    assert {*SMALL, *TORCH} == {name for name, kind in kinds.KINDS.items() if kind.example}


@pytest.mark.parametrize("kind", list(SMALL))
def test_the_example_runs_in_its_image(bench: Bench, tmp_path: Path, kind: str) -> None:
    folder = project(tmp_path, kind)
    file = folder / "ds01.toml"
    listed = ", ".join(f'"{name}"' for name in SMALL[kind])
    head, _, rest = file.read_text().partition("python = [")
    file.write_text(f"{head}python = [{listed}]{rest.partition(']')[2]}")
    image = bench.build(folder).image_id
    subprocess.run(["chown", "-R", "1722830498:1722830513", str(tmp_path)], check=True)
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(0o755)
    said = bench.inside(image, "cd /workspace && python scripts/example.py", "-v", f"{folder}:/workspace")
    assert "outputs" in said
    check(kind, result(folder))
    assert (folder / "outputs/example.json").stat().st_uid == 1722830498
