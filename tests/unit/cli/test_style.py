"""Text on its way to a terminal: nobody but ds01 steers it."""

import pytest

from ds01.cli.style import columns, safe
from ds01.cli.talk import talk


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("thesis", "thesis"),
        ("\x1b[32mgreen\x1b[0m", "\x1b[32mgreen\x1b[0m"),
        ("\x1b[1;31mred", "\x1b[1;31mred"),
        ("\x1b]52;c;aGFjaw==\x07\x1b[2Jx", "]52;c;aGFjaw==[2Jx"),
        ("a\rb\x08\x9b31mc\td\ne", "ab31mc\td\ne"),
        ("\x1b", ""),
        ("\x1b[31", "[31"),
        ("Grüße, 東京", "Grüße, 東京"),
    ],
)
def test_what_would_steer_the_terminal_is_left_out(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_nothing_that_is_said_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "a\x1b]0;owned\x07b"
    speaking = talk()
    speaking.data(evil)
    speaking.say_line(evil)
    speaking.tell(evil)
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert "\x07" not in said.out + said.err


def test_colours_take_no_room() -> None:
    assert columns("\x1b[32mgreen\x1b[0m") == 5
    assert columns("\x1b[2Jx") == len("\x1b[2Jx")
