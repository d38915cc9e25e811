"""On which addresses ports may be published: what an admin may write, and what it gives."""

from __future__ import annotations

import re

import pytest

from ds01.domain.publish import allowed, other, read


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.0.0.0", "is every address: write any"), ("127.0.0.1", "is loopback, where ports are published anyway"),
        ("127.1.2.3", "is loopback"), ("::", "no IPv6"), ("2001:db8::5", "no IPv6"), ("[::1]", "no IPv6"),
        ("10.20.0", "is no IPv4 address"), ("10.20.0.5/24", "is no IPv4 address"), ("10.20.0.005", "is no IPv4"),
        ("lab.example", "is no IPv4 address"), ("10.20.0.5,10.20.1.5", "is no IPv4 address"), ("*", "is no IPv4"),
        ("224.0.0.1", "is no address of one server"), ("255.255.255.255", "is no address of one server"),
        ("any 10.20.0.5", "'any' stands alone"), ("10.20.0.5 loopback", "'loopback' stands alone"),
        ("loopback any", "stands alone"), ("10.20.0.5 10.20.0.256", "'10.20.0.256' is no IPv4 address"),
    ],
)  # fmt: skip
def test_what_an_admin_may_not_write_is_said_in_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read(text)


@pytest.mark.parametrize(
    ("address", "given", "may"),
    [
        ("127.0.0.1", (), True), ("127.0.0.1", ("any",), True), ("127.0.0.1", ("10.20.0.5",), True),
        ("10.20.0.5", (), False),
        ("10.20.0.5", ("10.20.1.5", "10.20.0.5"), True), ("10.20.0.5", ("10.20.0.50",), False),
        ("0.0.0.0", (), False), ("0.0.0.0", ("10.20.0.5",), False), ("0.0.0.0", ("any",), True),
        ("10.20.0.5", ("any",), True), ("::", ("any",), False), ("fd00::5", ("any",), False), ("any", ("any",), False),
        ("10.20.0.5 ", ("any",), False), ("010.20.0.5", ("any",), False), ("0x0a140005", ("any",), False),
        ("255.255.255.255", ("any",), False), ("", ("any",), False),
    ],
)  # fmt: skip
def test_d12_what_is_given(address: str, given: tuple[str, ...], may: bool) -> None:
    assert allowed(address, given) is may


def test_what_there_is_besides_loopback_in_words() -> None:
    assert [other(given) for given in ((), ("10.20.0.5",), ("10.20.0.5", "10.20.1.5"), ("any",))] == [
        "", "10.20.0.5", "10.20.0.5 or 10.20.1.5", "any IPv4 address of this server, or 0.0.0.0 for all",
    ]  # fmt: skip
