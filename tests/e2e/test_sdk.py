"""The SDK on a real stack: the grid search of the docs as printed, and a container from launch to retire."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from dev.promises.lab import Lab, Student

pytestmark = [pytest.mark.e2e, pytest.mark.root, pytest.mark.engine, pytest.mark.slow]
PAGE = Path(__file__).resolve().parents[2] / "docs/howto/grid-search.md"


@pytest.fixture
def ada(lab: Lab) -> Iterator[Student]:
    """A student with nothing running."""
    lab.fresh()
    yield lab.ada
    lab.ada.retires_all()


def python(student: Student, script: str) -> str:
    """What a script of hers prints; its Python is the one that has ds01."""
    done = student.person.run(str(student.commands / "python"), "-", given=script)
    assert done.code == 0, done.err
    return done.out.strip()


def test_the_grid_search_of_the_docs_runs_as_printed(ada: Student) -> None:
    files = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [name for name, _ in files] == ["train.py", "grid.py"]
    ada.ds01("init", "grid", "--type", "blank", "--no-input")
    for name, text in files:
        ada.person.run("tee", str(ada.workspace("grid") / name), given=text)
    assert python(ada, dict(files)["grid.py"]) == "best: rate 0.01, depth 4, loss 0.0000"


LIFE = """
from ds01 import Ds01Error, connect

lab = connect()
made = lab.launch("life", gpus=1)
again = lab.launch("life")
free = sum(slot.state == "free" for slot in lab.gpus().slots)
print(made.id == again.id, made.state, len(made.gpus), [found.name for found in lab.list()])
print(type(lab.logs("life")).__name__)
print(lab.retire("life").freed == made.gpus, lab.list(), sum(s.state == "free" for s in lab.gpus().slots) - free)
failed = lab.wait(lab.run(["sh", "-c", "echo no; exit 3"], project="life", gpus=0)).jobs[0]
print(failed.code, lab.logs(failed).strip(), lab.jobs()[-1].name == failed.name)
for wrong in (lambda: lab.launch("lief"), lambda: lab.logs("nothing"), lambda: lab.launch("life", gpus=99)):
    try:
        wrong()
    except Ds01Error as error:
        print(error.kind.code, str(error).endswith("."))
"""


def test_a_container_from_launch_to_retire(ada: Student) -> None:
    ada.project("life")
    assert python(ada, LIFE).splitlines() == [
        "True running 1 ['life']", "str", "True () 1", "3 no True", "project.unknown True", "container.unknown True",
        "gpu.quota True",
    ]  # fmt: skip
