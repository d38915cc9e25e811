"""Lists of other tools: what pip is given for them, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.domain.errors import Ds01Error
from ds01.domain.project import ImageRecipe
from ds01.projects import foreign, requirements

LOCK = """\
version = 1
revision = 5
requires-python = ">=3.9"

[[package]]
name = "colorama"
version = "0.4.6"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "demo"
version = "0.1"
source = { virtual = "." }
dependencies = [
    { name = "colorama", marker = "sys_platform == 'win32'" },
    { name = "requests", extra = ["socks", "use-chardet"] },
]

[package.dev-dependencies]
dev = [{ name = "iniconfig" }]

[[package]]
name = "idna"
version = "3.7"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version < '3.10'", "python_full_version >= '3.12'"]

[[package]]
name = "probe"
version = "1"
source = { git = "https://example.org/probe.git?rev=v1#0123abc" }

[[package]]
name = "requests"
version = "2.31.0"
source = { registry = "https://pypi.org/simple" }
"""


def translated(folder: Path, name: str, text: str) -> dict[str, str]:
    """The files that are made, without their heading, by the last part of their name."""
    (folder / name).write_text(text)
    found = foreign.translate(str(folder), name)
    return {path.removeprefix(f"{foreign.FOLDER}/"): _body(content) for path, content in found.files.items()}


def _body(content: bytes) -> str:
    return content.decode().partition("\n")[2]


def test_c5_a_lock_of_uv_fixes_every_version_and_installs_what_the_project_names(tmp_path: Path) -> None:
    made = translated(tmp_path, "uv.lock", LOCK)
    assert made["uv.lock.txt"].splitlines() == [
        "-c uv.lock.pins.txt", "colorama ; sys_platform == 'win32'", "requests[socks,use-chardet]",
    ]  # fmt: skip
    assert made["uv.lock.pins.txt"].splitlines() == [
        "colorama==0.4.6",
        "idna==3.7 ; (python_full_version < '3.10') or (python_full_version >= '3.12')",
        "probe @ git+https://example.org/probe.git@0123abc",
        "requests==2.31.0",
    ]


def test_an_index_of_ones_own_in_a_lock_is_asked(tmp_path: Path) -> None:
    own = LOCK.replace("https://pypi.org/simple", "https://index.lab.lan/simple")
    assert "--index-url https://index.lab.lan/simple" in translated(tmp_path, "uv.lock", own)["uv.lock.txt"]
    mixed = LOCK.replace("https://pypi.org/simple", "https://index.lab.lan/simple", 1)
    assert "--extra-index-url https://index.lab.lan/simple" in translated(tmp_path, "uv.lock", mixed)["uv.lock.txt"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LOCK.replace('virtual = "."', 'virtual = "packages/demo"'), "locks no project in this folder"),
        (LOCK.replace('{ registry = "https://pypi.org/simple" }', '{ directory = "lib" }'), "locked to a folder"),
        ("version = 1\npackage = 3\n", "no lock file of uv"),
        ("version =\n", "uv.lock:1:10"),
    ],
)
def test_a_lock_that_cannot_be_an_image_says_why(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Ds01Error, match=said):
        translated(tmp_path, "uv.lock", text)


def test_the_dependencies_of_a_pyproject_are_installed(tmp_path: Path) -> None:
    made = translated(tmp_path, "pyproject.toml", '[project]\nname = "x"\ndependencies = ["six>=1", "idna"]\n')
    assert made == {"pyproject.toml.txt": "six>=1\nidna\n"}
    with pytest.raises(Ds01Error, match=r"no \[project\] table"):
        translated(tmp_path, "pyproject.toml", "[tool.x]\n")


def test_a_conda_environment_is_read_as_conda_writes_it(tmp_path: Path) -> None:
    text = """\
name: thesis
channels:
  - conda-forge
dependencies:
  - python=3.11
  - numpy=1.26            # a comment
  - conda-forge::scipy=1.11.4=py311h64a7726_0
  - pandas >=2,<3
  - pytorch 2.4
  - libgcc-ng=13.2.0=h807b86a_3
  - "matplotlib-base"
  - pip:
      - six==1.16.0
      - -r more.txt
  - tqdm
prefix: /home/ada/miniconda3
"""
    (tmp_path / "environment.yml").write_text(text)
    (tmp_path / "more.txt").write_text("idna==3.6\n")
    found = foreign.translate(str(tmp_path), "environment.yml")
    assert _body(found.files[found.first]).splitlines() == [
        "numpy==1.26.*", "scipy==1.11.4", "pandas>=2,<3", "torch==2.4.*", "matplotlib", "six==1.16.0",
        "-r ../../more.txt", "tqdm",
    ]  # fmt: skip
    assert found.left_out == ("python=3.11", "libgcc-ng=13.2.0=h807b86a_3")
    first, files = requirements.of_image(str(tmp_path), ImageRecipe(requirements="environment.yml"))
    assert (first, files["more.txt"]) == (".ds01/image/environment.yml.txt", b"idna==3.6\n")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  - numpy!1", "environment.yml:2: 'numpy!1' cannot be read"),
        ("  numpy: 1", "environment.yml:2 cannot be used"),
        ("  - pip:\n    - ./lib", "environment.yml:3: './lib' cannot be read"),
    ],
)
def test_a_line_conda_would_not_write_is_named(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(Ds01Error, match=said):
        translated(tmp_path, "environment.yml", f"dependencies:\n{line}\n")


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Ds01Error, match=r"There is no file uv\.lock"):
        foreign.translate(str(tmp_path), "uv.lock")


EVERYTHING_WRONG = {
    "environment.yml": (
        "dependencies:\n  - numpy=1.26\n  - numpy!1\n  scipy\n  - pip:\n    - ./lib\n    - -e .\n",
        ("environment.yml:3: 'numpy!1' cannot be read", "environment.yml:4 cannot be used", "begins with '- '",
         "environment.yml:6: './lib' cannot be read", "environment.yml:7: '-e .' cannot be read"),
    ),
    "pyproject.toml": (
        '[project]\nname = "x"\ndependencies = [\n    "six",\n    "pandas=2",\n    3,\n    "./lib",\n]\n',
        ("pyproject.toml:5: 'pandas=2' cannot be read", "Use 'pandas==2' instead.", "pyproject.toml:6 cannot be used",
         'a text in quotes such as "pandas>=2,<3"', "pyproject.toml:7: './lib' cannot be read"),
    ),
    "uv.lock": (
        LOCK.replace('{ registry = "https://pypi.org/simple" }', '{ directory = "lib" }'),
        ("uv.lock:5 cannot be used for the image: colorama", "uv.lock:22 cannot be used for the image: idna",
         "uv.lock:33 cannot be used for the image: requests"),
    ),
    "requirements.txt": (
        "six\n-e .\npandas=2\n",
        ("requirements.txt:2: '-e .' cannot be read", "requirements.txt:3: 'pandas=2' cannot be read"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EVERYTHING_WRONG)
def test_all_that_is_wrong_in_a_list_is_told_at_once_with_its_line_and_what_was_expected(
    tmp_path: Path, name: str
) -> None:
    text, said = EVERYTHING_WRONG[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(Ds01Error) as raised:
        requirements.of_image(str(tmp_path), ImageRecipe(requirements=name))
    problem = raised.value.problem
    whole = f"{problem.message}\n{problem.reason}\n{problem.hint}"
    assert [part for part in said if part not in whole] == []


def test_a_file_of_nothing_but_mistakes_does_not_fill_the_screen(tmp_path: Path) -> None:
    (tmp_path / "environment.yml").write_text("dependencies:\n" + "  - a!1\n" * 100)
    with pytest.raises(Ds01Error) as raised:
        foreign.translate(str(tmp_path), "environment.yml")
    assert raised.value.problem.reason.splitlines()[-1] == "… and 80 more."


def test_dependencies_that_a_program_works_out_are_no_empty_list(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\ndynamic = ["version", "dependencies"]\n'
    with pytest.raises(Ds01Error, match=r"pyproject.toml:3 cannot be used .* worked out by the program"):
        translated(tmp_path, "pyproject.toml", text)
