"""What apt and uv say of who asked for a package, out of files that are a user's."""

import json
from dataclasses import replace

import pytest

from ds01.domain.changes import Package
from ds01.domain.requested import automatic, origin, requires
from ds01.domain.suggestions import installs, line

STATES = """\
Package: libgomp1
Architecture: amd64
Auto-Installed: 1

Package: gcc
Architecture: amd64
Auto-Installed: 0

Architecture: amd64
Package: libisl23
Auto-Installed: 1
"""


def test_what_apt_installed_by_itself() -> None:
    assert automatic(STATES) == {"libgomp1", "libisl23"}


def test_a_name_that_is_none_is_nobodys() -> None:
    assert automatic("Package: ../x\nAuto-Installed: 1\n\nAuto-Installed: 1") == frozenset()


def test_four_megabytes_without_an_end_are_read_in_one_go() -> None:
    assert automatic("Package: a\n" * 400_000) == frozenset()
    assert automatic("Auto-Installed: 1\n" * 200_000) == frozenset()
    assert len(requires("Requires-Dist: a" * 250_000)) == 1


GIT = {"vcs": "git", "requested_revision": "main", "commit_id": "4f1c2d"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"url": "https://lab/x", "vcs_info": GIT}, "git+https://lab/x@4f1c2d"),
        ({"url": "https://lab/x", "vcs_info": GIT, "subdirectory": "py"}, "git+https://lab/x@4f1c2d#subdirectory=py"),
        ({"url": "https://lab/x-1.whl", "archive_info": {}}, "https://lab/x-1.whl"),
        ({"url": "file:///workspace/x", "dir_info": {"editable": True}}, "file:///workspace/x"),
        ({"url": "https://lab/x", "vcs_info": {"vcs": "git"}}, ""),
        ({"url": "https://lab/x", "vcs_info": {"vcs": "git", "commit_id": "a b"}}, ""),
        ({"url": "https://lab/x\nevil"}, ""),
        ({"url": 1}, ""),
        ([], ""),
    ],
)
def test_where_a_package_came_from(said: object, expected: str) -> None:
    assert origin(json.dumps(said)) == expected


def test_a_record_that_is_none_says_nothing() -> None:
    assert [origin(text) for text in ("", "{", "[" * 100_000)] == ["", "", ""]


def test_what_came_from_elsewhere_is_never_written_as_a_version_of_the_index() -> None:
    came = Package(name="mine", version="0.1", source="pip", direct=True)
    assert (installs(came), line(came)[:12]) == ("", "# mine 0.1: ")
    assert installs(replace(came, origin="git+https://lab/x@4f1c2d")) == "mine @ git+https://lab/x@4f1c2d"
    assert installs(replace(came, origin="git+ssh://lab/x@4f1c2d")) == ""
    assert installs(Package(name="mine", version="0.1", source="pip")) == "mine==0.1"
