"""What apt and uv say of who asked for a package, out of files that are a user's."""

from ds01.domain.requested import automatic, requires

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
