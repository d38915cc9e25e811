"""The account lines a foreign image lacks: added once, at the end, and nothing else touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.account_inside import with_group, with_user
from tests.server import ALICE

ROOT = "root:x:0:0:root:/root:/bin/sh\n"


def test_a_line_is_added_for_who_has_none() -> None:
    added = "alice:x:1001:1001:alice:/home/alice:/bin/sh\n"
    assert with_user(ROOT, ALICE, shell="/bin/sh") == ROOT + added
    assert with_user(ROOT.rstrip(), ALICE, shell="/bin/sh") == ROOT + added
    assert with_user("", ALICE, shell="/bin/sh") == added
    assert with_group("root:x:0:\n", ALICE) == "root:x:0:\nalice:x:1001:\n"


@pytest.mark.parametrize("text", ["ubuntu:x:1001:1001::/home/ubuntu:/bin/sh\n", f"{ROOT}other:x:1001:5:::"])
def test_who_has_a_name_keeps_it(text: str) -> None:
    assert with_user(text, ALICE, shell="/bin/sh") == text
    assert with_group("users:x:1001:a,b\n", ALICE) == "users:x:1001:a,b\n"


@given(st.text(max_size=300))
def test_whatever_stood_there_still_does(text: str) -> None:
    found = with_user(text, ALICE, shell="/bin/sh")
    assert found.startswith(text)
    assert with_user(found, ALICE, shell="/bin/sh") == found
