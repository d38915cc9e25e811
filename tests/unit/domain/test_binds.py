"""What a path may be as text, and which places are never mounted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.binds import below, check_place, checked_path, share_of, shown
from ds01.domain.errors import BAD_BIND, Ds01Error


def judged(text: str) -> str | Ds01Error:
    try:
        return checked_path(text)
    except Ds01Error as error:
        return error


@given(st.text() | st.text(alphabet="/.a ").map(lambda text: "/" + text))
def test_a_checked_path_is_absolute_and_plain_or_refused(text: str) -> None:
    plain = judged(text)
    if isinstance(plain, Ds01Error):
        assert plain.kind is BAD_BIND
        assert plain.problem.message.isprintable()
        return
    assert plain.startswith("/")
    assert plain == "/" or not {"", ".", ".."} & set(plain.split("/")[1:])
    assert not any(ord(char) < 32 for char in plain)
    assert checked_path(plain) == plain


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [("/data", "/data", True), ("/data/x", "/data", True), ("/data-x", "/data", False), ("/x", "/", True)],
)
def test_below_goes_by_whole_names(path: str, folder: str, expected: bool) -> None:
    assert below(path, folder) is expected


def test_a_share_must_be_absolute_to_count() -> None:
    assert share_of("/data/x", ["data", "", "/data"]) == "/data"
    assert share_of("/data/x", ["", "data", "/", "//"]) is None


@pytest.mark.parametrize("real", ["/", "/etc/passwd", "/run/user/1001", "/dev/shm/x", "/usr/local/share", "/var/lib/x"])
def test_e2_the_machines_trees_are_closed(real: str) -> None:
    with pytest.raises(Ds01Error):
        check_place("/home/a/link", real)


def test_an_admin_may_share_from_the_machines_trees_but_not_from_the_kernels() -> None:
    check_place("/usr/share/data", "/usr/share/data", shared=True)
    with pytest.raises(Ds01Error):
        check_place("/run/x", "/run/x", shared=True)


def test_control_characters_are_shown_escaped() -> None:
    assert shown("/tmp/\x1b[31m\n") == "'/tmp/\\x1b[31m\\n'"
