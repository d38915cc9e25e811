"""A file that DS01 keeps in a workspace: written with its owner's rights, and only where it really is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ds01.domain.errors import Ds01Error
from tests.unit.host.conftest import ALICE, Place

pytestmark = pytest.mark.root
LIST = ".ds01/list.txt"


def linked(place: Place) -> None:
    (place.a / LIST).symlink_to(place.file("mine", ALICE, "mine"))


def folder_linked(place: Place) -> None:
    (place.a / ".ds01").rmdir()
    place.folder("alice/elsewhere", ALICE)
    (place.a / ".ds01").symlink_to(place.a / "elsewhere")


def pipe(place: Place) -> None:
    os.mkfifo(place.a / LIST)
    os.chown(place.a / LIST, ALICE, ALICE)


def huge(place: Place) -> None:
    place.file(f"alice/{LIST}", ALICE, "x" * (1024 * 1024 + 1))


def closed(place: Place) -> None:
    place.file(f"alice/{LIST}", 0, "roots\n", mode=0o600)


@pytest.mark.parametrize("spoil", [linked, folder_linked, pipe, huge, closed])
def test_w5_what_is_no_plain_file_of_hers_is_left_as_it_is(place: Place, spoil: Callable[[Place], None]) -> None:
    place.folder("alice/.ds01", ALICE)
    spoil(place)
    with pytest.raises(Ds01Error, match="was not written"):
        place.host.add_lines(place.alice, str(place.a), LIST, ["six==1.0"])
    assert not any("six" in path.read_text() for path in sorted(place.base.rglob("*")) if plain(path))


def plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def test_what_she_wrote_herself_stays_and_is_ended_with_a_line(place: Place) -> None:
    place.folder("alice/.ds01", ALICE)
    hers = place.file(f"alice/{LIST}", ALICE, "# mine\nsix==1.0")
    place.host.add_lines(place.alice, str(place.a), LIST, ["six==1.0", "wandb==0.16.0"])
    assert hers.read_text() == "# mine\nsix==1.0\nwandb==0.16.0\n"
