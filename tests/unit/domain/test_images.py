"""What an image proves by itself: its labels are its maker's word, unless a registry has it under the name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ds01.domain.image import Image, ImageId, Provenance, Tag
from ds01.domain.labels import Label
from tests.values import ALICE, NOW

REF = "alice/app:latest"
MADE = Image(
    id=ImageId("sha256:1"), tags=(REF,), created_at=NOW, size_bytes=1, labels={Label.OWNER: str(ALICE.uid)}
)  # fmt: skip
OLD = Tag(ref=REF, image=ImageId("sha256:0"), provenance=Provenance.USER, owner=ALICE.uid)


@pytest.mark.parametrize(
    ("digests", "pulled"),
    [
        ((), False),
        (("alice/app@sha256:9",), True),
        (("elsewhere/app@sha256:9",), False),
        (("alice/app@sha256:1",), False),
    ],
)
def test_a_label_of_what_a_registry_has_proves_nothing(digests: tuple[str, ...], pulled: bool) -> None:
    image = replace(MADE, digests=digests)
    assert image.is_from(REF) is pulled
    assert OLD.makes_owner(image) == (None if pulled else ALICE.uid)
    assert replace(OLD, image=image.id).makes_owner(image) == ALICE.uid
