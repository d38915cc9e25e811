"""Edits of a project file: what was asked for, and every comment stays."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ds01.domain.errors import Ds01Error
from ds01.projects import edit, file, packages
from tests.effort import tries

TEXT = """\
# my thesis
[project]
name = "thesis"  # the folder's name

[image]
base = "minimal" # why
python = [
    # data
    "pandas>=2,<3", # below 3
    "six",  # six!
    # last
    "numpy", # np
]

[run]
gpus = 1 # one is enough
"""


def project(tmp_path: Path, text: str = TEXT, name: str = "ds01.toml") -> Path:
    folder = tmp_path / "thesis"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


def comments(text: str) -> list[str]:
    return sorted(line.split("#", 1)[1].strip() for line in text.splitlines() if "#" in line)


def saved(folder: Path, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> edit.Edit:
    """Plan an edit and write it."""
    made = edit.plan(str(folder), add=add, remove=remove)
    made.save()
    return made


def test_a_package_is_added_and_its_versions_changed(tmp_path: Path) -> None:
    folder = project(tmp_path)
    made = saved(folder, add=["tqdm", "Pandas>=2.2,<3", "six"])
    assert made.changes == ("+ tqdm", "pandas>=2,<3 → Pandas>=2.2,<3")
    assert file.load(str(folder)).image.python == ("Pandas>=2.2,<3", "six", "numpy", "tqdm")
    assert comments((folder / "ds01.toml").read_text()) == comments(TEXT)


def test_a_bare_name_never_drops_the_versions_that_are_written(tmp_path: Path) -> None:
    folder = project(tmp_path)
    made = saved(folder, add=["pandas"])
    assert made.changes == ()
    assert (folder / "ds01.toml").read_text() == TEXT


def test_a_package_is_removed_in_any_spelling(tmp_path: Path) -> None:
    folder = project(tmp_path)
    made = saved(folder, remove=["SIX", "numpy"])
    assert made.changes == ("- six", "- numpy")
    assert file.load(str(folder)).image.python == ("pandas>=2,<3",)


def test_removing_what_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    folder = project(tmp_path)
    with pytest.raises(Ds01Error) as refused:
        saved(folder, remove=["pandsa"])
    assert refused.value.problem.reason == "Did you mean 'pandas'?"
    assert (folder / "ds01.toml").read_text() == TEXT


def test_debian_packages_and_requirements(tmp_path: Path) -> None:
    folder = project(tmp_path)
    made = edit.plan(str(folder), add_apt=["less", "git-lfs=3.3"], requirements="requirements.txt")
    assert (folder / "ds01.toml").read_text() == TEXT
    made.save()
    found = file.load(str(folder)).image
    assert (found.apt, found.requirements) == (("less", "git-lfs=3.3"), "requirements.txt")


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[project]\nname = "thesis"\n',
        '[image]\nbase = "minimal"\n\n[run]\ngpus = 0\n',
        'image = {base = "minimal"}\n',
        'image.base = "minimal"\n',
        "[image]\npython = []\n",
        "[image]\npython = [\n]\n",
        "[image]\npython = [ # none yet\n]\n",
        '[image]\r\npython = ["numpy"]\r\n',
        '[image]\npython = ["numpy",]\n[image.x]\n'.replace("[image.x]\n", ""),
    ],
)
def test_a_package_finds_its_place_in_any_shape_of_file(tmp_path: Path, text: str) -> None:
    folder = project(tmp_path, text)
    saved(folder, add=["six>=1.15"])
    assert file.load(str(folder)).image.python[-1] == "six>=1.15"
    assert comments((folder / "ds01.toml").read_text()) == comments(text)


def test_the_table_in_pyproject_is_edited_in_place(tmp_path: Path) -> None:
    text = '# mine\n[project]\nname = "x"\ndependencies = ["click"]\n\n[tool.ds01.image]\npython = ["six"] # six\n'
    folder = project(tmp_path, text, "pyproject.toml")
    saved(folder, add=["numpy"])
    after = (folder / "pyproject.toml").read_text()
    assert after == text.replace('["six"]', '["six", "numpy"]')


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    folder = project(tmp_path)
    made = edit.plan(str(folder), add=["tqdm"])
    (folder / "ds01.toml").write_text(TEXT + "# meanwhile\n")
    with pytest.raises(Ds01Error, match="somebody else"):
        made.save()
    assert (folder / "ds01.toml").read_text() == TEXT + "# meanwhile\n"


def test_permissions_stay(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder / "ds01.toml").chmod(0o640)
    saved(folder, add=["tqdm"])
    assert (folder / "ds01.toml").stat().st_mode & 0o777 == 0o640
    assert [path.name for path in folder.iterdir()] == ["ds01.toml"]


def test_a_broken_or_wrong_file_is_not_edited(tmp_path: Path) -> None:
    folder = project(tmp_path, '[image]\npyton = ["six"]\n')
    with pytest.raises(Ds01Error, match="did you mean 'python'"):
        saved(folder, add=["tqdm"])


NAMES = ["six", "numpy", "pandas", "tqdm", "scikit-learn", "polars"]
VERSIONS = ["", ">=1", ">=1,<3", "==2.*", "; python_version >= '3.8'"]


@st.composite
def files(draw: st.DrawFn) -> str:
    """A project file as somebody might have written it: comments and line breaks anywhere."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=5))
    lines = []
    many = draw(st.booleans())
    for counter, name in enumerate(names, start=1):
        if many and draw(st.booleans()):
            lines.append(f"  # before {counter}\n")
        text = f'"{name}{draw(st.sampled_from(VERSIONS))}"' + ("," if many or name != names[-1] else "")
        after = f"  # after {counter}\n" if many and draw(st.booleans()) else "\n" if many else " "
        lines.append(f"  {text}{after}" if many else text + after)
    end = "  # at the end\n" if many and draw(st.booleans()) else ""
    head = draw(st.sampled_from(["", "# head\n", '[project]\nname = "thesis"\n\n']))
    tail = draw(st.sampled_from(["", "\n# tail\n", "\n[run]\ngpus = 1 # gpu\n"]))
    opening = "[\n" if many else "["
    return f"{head}[image]\nbase = 'minimal' # base\npython = {opening}{''.join(lines)}{end}]\n{tail}"


@settings(max_examples=tries(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=files(), data=st.data())
def test_edits_keep_everything_else(tmp_path: Path, text: str, data: st.DataObject) -> None:
    folder = project(tmp_path, text)
    before = list(file.load(str(folder)).image.python)
    listed = [packages.entry(line).name for line in before]
    remove = data.draw(st.lists(st.sampled_from(listed), unique=True, max_size=3)) if listed else []
    add = [name + ">=0.5" for name in data.draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))]
    made = edit.plan(str(folder), add=add, remove=remove)
    kept = [line for line in before if packages.entry(line).name not in remove]
    names = {packages.entry(line).name: line for line in add}
    expected = [names.pop(packages.entry(line).name, line) for line in kept] + list(names.values())
    after = tomllib.loads(made.after)
    assert after["image"]["python"] == expected
    assert after["image"]["base"] == "minimal"
    gone = {f"after {listed.index(name) + 1}" for name in remove}
    assert set(comments(made.after)) >= set(comments(text)) - gone


def test_a_removal_that_is_taken_back_costs_no_comment_of_the_others(tmp_path: Path) -> None:
    folder = project(tmp_path)
    before = list(file.load(str(folder)).image.python)
    saved(folder, remove=["six"])
    edit.restored(str(folder), {"base": "minimal", "python": before}).save()
    after = (folder / "ds01.toml").read_text()
    assert list(file.load(str(folder)).image.python) == before
    assert comments(after) == sorted(set(comments(TEXT)) - {"six!"})


def test_versions_that_are_taken_back_keep_the_comment_of_their_line(tmp_path: Path) -> None:
    folder = project(tmp_path)
    before = list(file.load(str(folder)).image.python)
    saved(folder, add=["pandas>=2.2,<3", "tqdm"])
    edit.restored(str(folder), {"base": "minimal", "python": before}).save()
    assert (folder / "ds01.toml").read_text() == TEXT


@settings(max_examples=tries(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=files(), data=st.data())
def test_going_back_keeps_everything_else(tmp_path: Path, text: str, data: st.DataObject) -> None:
    folder = project(tmp_path, text)
    before = list(file.load(str(folder)).image.python)
    wanted = [line for line in before if data.draw(st.booleans())]
    kept = set(wanted)
    for name in data.draw(st.lists(st.sampled_from(["flask", "attrs", "click"]), unique=True)):
        wanted.insert(data.draw(st.integers(0, len(wanted))), name)
    made = edit.restored(str(folder), {"base": "minimal", "python": wanted})
    after = tomllib.loads(made.after)
    assert after["image"].get("python", []) == wanted
    gone = {f"after {counter}" for counter, line in enumerate(before, start=1) if line not in kept}
    assert set(comments(made.after)) >= set(comments(text)) - gone


@settings(max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=files(), data=st.data())
def test_going_back_takes_the_order_as_well(tmp_path: Path, text: str, data: st.DataObject) -> None:
    folder = project(tmp_path, text)
    wanted = data.draw(st.permutations(list(file.load(str(folder)).image.python)))
    after = edit.restored(str(folder), {"base": "minimal", "python": list(wanted)}).after
    assert tomllib.loads(after)["image"].get("python", []) == list(wanted)
    lost = set(comments(text)) - set(comments(after))
    assert all(line.startswith("after ") for line in lost)
