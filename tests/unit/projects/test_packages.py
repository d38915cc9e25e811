"""What may stand in a list of packages, and what is said about the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement

from ds01.domain.errors import BAD_PACKAGE, Ds01Error
from ds01.projects.packages import apt_package, canonical, entries, entry

HASH = "--hash=sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("line", "name", "pinned"),
    [
        ("six", "six", False),
        ("pandas>=2,<3", "pandas", True),
        ("Scikit_Learn==1.5.*", "scikit-learn", True),
        ("torch==2.4.0+cu121", "torch", True),
        ("jax[cuda12]>=0.4", "jax", True),
        ("jax[cuda12]", "jax", False),
        ("six>=1.15,<1.17,!=1.16.0", "six", True),
        ("six>=1.15, <1.17", "six", True),
        ("numpy<2; python_version < '3.12'", "numpy", True),
        ("six ~= 1.15", "six", True),
        (f"six==1.16.0 {HASH}", "six", True),
        (f"six==1.16.0 {HASH} {HASH}", "six", True),
        ("demo @ https://example.org/demo-1.0.tar.gz", "demo", True),
        ("demo @ git+https://example.org/demo.git@main", "demo", True),
        ("--index-url https://example.org/simple", "", False),
        ("--index-url=https://example.org/simple", "", False),
        ("-i https://example.org/simple", "", False),
        ("--pre", "", False),
    ],
)
def test_c5_every_form_that_pip_honours_is_accepted(line: str, name: str, pinned: bool) -> None:
    found = entry(line)
    assert (found.name, found.pinned) == (name, pinned)


OPERATORS = ["==", "!=", ">=", "<=", "<", ">", "~=", "===", "=", ""]


@given(
    st.sampled_from(["six", "A-b.c", "x", "_x", "x-", "x[y]", "x[]", "x[y,z]"]),
    st.lists(st.tuples(st.sampled_from(OPERATORS), st.from_regex(r"\d(\.\d|\.\*|a1)?", fullmatch=True)), max_size=3),
    st.sampled_from([",", ", ", ",,"]),
)
def test_what_is_recognised_quickly_is_what_the_standard_accepts(
    name: str, versions: list[tuple[str, str]], between: str
) -> None:
    line = name + between.join(operator + version for operator, version in versions)
    try:
        Requirement(line)
    except InvalidRequirement:
        with pytest.raises(Ds01Error):
            entry(line)
    else:
        assert entry(line).text == line


def test_c5_a_line_that_names_a_file_says_which() -> None:
    assert entry("-r requirements/dev.txt").file == "requirements/dev.txt"
    assert entry("--constraint=pins.txt").file == "pins.txt"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "one line"),
        ("six\nnumpy", "one line"),
        ("# six", "one line"),
        ("pandas=2", "Use 'pandas==2' instead."),
        ("pandas 2.1", "Use 'pandas==2.1' instead."),
        ("pandas@2", "Use 'pandas==2' instead."),
        ("pandas>=two", "like 'pandas>=2,<3'"),
        ("-e .", "editable"),
        ("./wheel.whl", "path"),
        ("wheel-1.0-py3-none-any.whl", "path"),
        ("x @ file:///etc/passwd", "https"),
        ("--install-option=x", "Options that may stand here"),
        ("--index-url", "Options that may stand here"),
        ("six --hash=md5:00", "no hash"),
        ("six; rm -rf /", "like 'pandas>=2,<3'"),
        ("$(reboot)", "like 'pandas>=2,<3'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_way_out(line: str, said: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        entry(line)
    problem = refused.value.problem
    assert problem.kind is BAD_PACKAGE
    assert said.lower() in f"{problem.message} {problem.reason} {problem.hint}".lower()


def test_a_package_listed_twice_is_refused_unless_conditions_tell_the_lines_apart() -> None:
    entries(["six<1.16; python_version < '3'", "six>=1.16; python_version >= '3'"])
    with pytest.raises(Ds01Error, match="listed twice"):
        entries(["Six>=1", "numpy", "six<2"])


def test_names_have_one_spelling() -> None:
    assert canonical("Scikit__Learn.X") == "scikit-learn-x"


@pytest.mark.parametrize("name", ["git-lfs", "libgl1", "g++", "python3.11", "less=590-2", "gcc/bookworm", "libc6:i386"])
def test_debian_packages_are_accepted(name: str) -> None:
    assert apt_package(name) == name


@pytest.mark.parametrize("name", ["", "Git", "git lfs", "git;reboot", "-y", "a", "$(x)", "git\nless"])
def test_what_is_no_debian_package_is_refused(name: str) -> None:
    with pytest.raises(Ds01Error):
        apt_package(name)


@pytest.mark.parametrize(
    "scheme", ["git+ssh", "hg+https", "hg+ssh", "svn+https", "svn+ssh", "bzr+https", "file", "ssh"]
)
@pytest.mark.parametrize("line", ["tool @ {}://git@example.org/lab/tool", "{}://git@example.org/lab/tool#egg=tool"])
def test_what_no_build_can_reach_is_refused_with_what_to_do(scheme: str, line: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        entry(line.format(scheme))
    assert "Only https addresses" in refused.value.problem.reason
    assert "https address" in refused.value.problem.hint


@pytest.mark.parametrize("line", ["-e git+ssh://git@example.org/tool.git#egg=tool", "-e .", "../tool", "/opt/tool.whl"])
def test_what_lies_in_the_workspace_is_refused(line: str) -> None:
    with pytest.raises(Ds01Error) as refused:
        entry(line)
    assert "workspace, which is not there" in refused.value.problem.reason


def test_an_address_without_a_name_gets_one() -> None:
    with pytest.raises(Ds01Error) as refused:
        entry("git+https://example.org/lab/tool.git#egg=tool")
    meant = refused.value.problem.hint
    assert meant == "Use 'tool @ git+https://example.org/lab/tool.git' instead."
    assert entry(meant.split("'")[1]).name == "tool"
