"""Who pays for which layer, and when there is no room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.adapters.docker.read import EMPTY_LAYER, layers
from ds01.domain.disk import Held, Layer, Use, counts, largest, room, shares
from ds01.domain.errors import DISK_QUOTA, Ds01Error

BASE, MIDDLE, TOP, ODD = (Layer(id=name, size_bytes=size) for name, size in zip("bmto", (100, 60, 30, 7), strict=True))
A, B = "1001:1", "1002:1"


def held(*owners: str, layers: tuple[Layer, ...], common: bool = False, name: str = "x:1") -> Held:
    return Held(owners=frozenset(owners), common=common, layers=layers, called=dict.fromkeys(owners, name))


def test_a_layer_is_paid_once_in_equal_parts_and_the_servers_own_by_nobody() -> None:
    base = held(layers=(BASE,), common=True)
    assert shares([base, held(A, layers=(BASE, MIDDLE))]) == {A: 60}
    assert shares([base, held(A, layers=(BASE, MIDDLE)), held(A, layers=(BASE, MIDDLE, TOP))]) == {A: 90}
    assert shares([held(A, layers=(MIDDLE,)), held(B, layers=(MIDDLE, TOP))]) == {A: 30, B: 60}
    assert shares([held(A, B, layers=(ODD,))]) == {A: 4, B: 4}
    assert shares([held(layers=(ODD,))]) == {}


def test_e33_images_count_once_for_each_name_and_steps_of_builds_together() -> None:
    steps = tuple(Layer(id=f"s{n}", size_bytes=0, step=True) for n in range(25))
    one = replace(held(A, layers=(BASE, *steps)), named={A: 2}, labels_bytes=7)
    assert counts([one]) == {A: (4, 7)}
    assert counts([one, held(A, B, layers=(BASE, *steps[:20]))], listed=["s0", "s20"]) == {A: (5, 7), B: (2, 0)}
    assert counts([one, held(A, layers=steps, common=True)]) == {A: (2, 7)}


def test_the_steps_of_a_build_are_those_that_are_images() -> None:
    history = [{"Id": "sha256:top"}, {"Id": "sha256:step"}, {"Id": "<missing>"}, {}]
    assert [layer.id for layer in layers({}, history) if layer.step] == ["sha256:step"]


LAYERS = st.lists(st.sampled_from([BASE, MIDDLE, TOP, ODD]), unique=True).map(tuple)
IMAGES = st.lists(
    st.builds(lambda owners, found: held(*owners, layers=found), st.sets(st.sampled_from([A, B])), LAYERS)
)


@given(IMAGES)
def test_the_parts_add_up_to_what_is_there(images: list[Held]) -> None:
    there = {layer for image in images if image.owners for layer in image.layers}
    total = sum(layer.size_bytes for layer in there)
    assert total <= sum(shares(images).values()) <= total + len(there)


def test_room_is_what_is_left_and_a_refusal_says_what_uses_it() -> None:
    use = Use(images_bytes=3 * 1024**3, containers_bytes=1024**3, largest="x:1 (2G)")
    assert room(use, None) is None
    assert room(use, 5 * 1024**3) == 1024**3
    for most, more in ((4 * 1024**3, 0), (5 * 1024**3, 2 * 1024**3)):
        with pytest.raises(Ds01Error) as refused:
            room(use, most, more_bytes=more)
        problem = refused.value.problem
        assert problem.kind is DISK_QUOTA
        assert problem.message.startswith("Your images, containers and volumes use 4G of the")
        assert problem.reason == "Images 3G, containers 1G, volumes 0B. The largest image is x:1 (2G)."
        assert problem.hint == "docker image prune -a"


def test_the_largest_image_is_ones_own() -> None:
    images = [held(A, layers=(MIDDLE,), name="a:1"), held(B, layers=(BASE,), name="b:1"), held(A, layers=(TOP,))]
    assert largest(images, A) == "a:1 (60B)"
    assert largest(images, "9:1") == ""


def test_the_largest_image_is_told_by_what_she_calls_it() -> None:
    both = Held(owners=frozenset({A, B}), common=False, layers=(BASE,), called={A: "a:1"})
    assert largest([both, held(B, layers=(TOP,), name="b:1")], B) == "b:1 (30B)"
    assert largest([both], A) == "a:1 (100B)"


def row(size: int, text: str) -> dict[str, Any]:
    return {"Size": size, "CreatedBy": text}


def test_sizes_find_their_layers() -> None:
    """From the ground up; the history is told from the top down."""
    digests = ["sha256:1", EMPTY_LAYER, "sha256:3"]
    described = {"RootFS": {"Layers": digests}}
    plain = [row(0, 'CMD ["sh"]'), row(30, "RUN x"), row(0, "RUN true"), row(0, "ENV A=b"), row(100, "ADD file")]
    assert [layer.size_bytes for layer in layers(described, plain)] == [100, 0, 30]
    nop = [row(0, '/bin/sh -c #(nop)  CMD ["sh"]'), row(5, "/bin/sh -c #(nop) COPY x"), row(9, "")]
    found = layers({"RootFS": {"Layers": ["sha256:1", "sha256:2"]}}, nop)
    assert [layer.size_bytes for layer in found] == [9, 5]
    assert found[0].id == "sha256:1"
    assert found[1].id not in ("sha256:1", "sha256:2")
    assert layers({"RootFS": {}}, nop) == ()
