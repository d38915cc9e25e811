"""Names of images in a user's own name space: there and back, one for each, and nobody's but hers."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.query import FILTERS_LENGTH
from ds01.domain.dockerpolicy.refpattern import References
from ds01.domain.dockerpolicy.tags import Standing, Write, joined, looked_up, reference, repository, written_as
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.image import EVERY_TAG, ImageId, Provenance, Tag
from ds01.domain.own_images import can_be_own, is_stored, owner_of, plain_image, plain_text, stored_image
from ds01.domain.people import Uid
from ds01.domain.settings import ImageSettings
from tests.effort import not_for_hours

SETTINGS = ImageSettings(protected=("ds01/*",))
PARTS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
NAMES = st.builds("/".join, st.lists(st.one_of(PARTS, st.sampled_from(["ds01-u1", "ds01-1", "ds01", "library",
                  "docker.io", "localhost", "r.io", "h:5000"])), min_size=1, max_size=4))  # fmt: skip
UIDS = st.integers(0, 70000)


@st.composite
def references(draw: st.DrawFn) -> str:
    """What a user may type, in the form it is stored."""
    try:
        return reference(draw(NAMES) + draw(st.sampled_from(["", ":1", ":latest"])))
    except RefusedError:
        assume(False)
        raise


@given(references(), UIDS)
def test_there_and_back(ref: str, uid: int) -> None:
    stored = stored_image(ref, uid)
    assert plain_image(stored, uid) == ref
    assert is_stored(stored)
    assert owner_of(stored) == uid
    assert owner_of(ref) is None


@given(references(), references(), UIDS, UIDS)
def test_no_two_names_and_no_two_users_meet(one: str, other: str, uid: int, another: int) -> None:
    assume((one, uid) != (other, another))
    assert stored_image(one, uid) != stored_image(other, another)


@given(references(), UIDS, UIDS)
def test_what_lies_in_a_name_space_nobody_can_type(ref: str, uid: int, other: int) -> None:
    """Neither her own nor another's, however it is spelled; and it never lies in one again."""
    stored = stored_image(ref, uid)
    name, _, tag = stored.rpartition(":")
    for spelled in (stored, f"docker.io/{stored}", f"index.docker.io/{stored}"):
        for typed in (reference, lambda text: joined(text, ""), lambda text: joined(text.rpartition(":")[0], tag)):
            with pytest.raises(RefusedError) as refused:
                typed(spelled)
            assert refused.value.rule in ("tags.stored", "tags.name")
    with pytest.raises(RefusedError):
        repository(name)
    assert not can_be_own(stored, other)
    with pytest.raises(RefusedError):
        written_as(Write(ref=stored, uid=uid), Standing(), has_own=False, settings=SETTINGS)


@pytest.mark.parametrize(
    ("ref", "ownable"),
    [
        ("app_web:latest", True), ("team/app:1", True), ("a/b/c:1", True), ("app:*", True), ("localhost:1", True),
        ("ghcr.io/team/app:1", True), ("localhost/app:1", True), ("lab:5000/app:1", True), ("lab:5000/app:*", True),
        (f"app@sha256:{'a' * 64}", False), ("ds01-1001/thesis:latest", False), ("ds01-u1001/app:1", False),
        ("lab.port__5000/app:1", False), ("a" * 230 + ":1", True), ("a" * 240 + ":1", False),
    ],
)  # fmt: skip
def test_any_name_that_fits_may_be_ones_own(ref: str, ownable: bool) -> None:
    assert can_be_own(ref, 1001) is ownable


def of(owner: int | None, provenance: Provenance = Provenance.USER) -> Tag:
    return Tag(
        ref="app:1", image=ImageId("sha256:1"), provenance=provenance, owner=None if owner is None else Uid(owner)
    )


def written(ref: str, there: Standing, *, own: bool = False, pulled: bool = False) -> str:
    try:
        return written_as(Write(ref=ref, uid=1002, pulled=pulled), there, has_own=own, settings=SETTINGS)
    except RefusedError as error:
        return error.rule


def test_d20_who_may_not_see_what_a_name_means_gets_one_of_her_own() -> None:
    hers, his = Standing(image="sha256:1", tag=of(1002), seen=True), Standing(image="sha256:1", tag=of(1001))
    stored = "ds01-u1002/app:1"
    assert written("app:1", Standing()) == "app:1"
    assert written("app:1", hers) == "app:1"
    assert written("app:1", his) == stored
    assert written("app:1", Standing(writer=1001)) == stored
    assert written("app:1", Standing(writer=1001, pulling=True)) == stored
    assert written("app:1", Standing(image="sha256:1")) == stored
    for there in (Standing(), his, Standing(image="sha256:1", tag=of(None, Provenance.REGISTRY), seen=True)):
        assert written("app:1", there, own=True) == stored


def test_d20_what_everybody_sees_stays_everybodys() -> None:
    pulled = Standing(image="sha256:1", tag=of(None, Provenance.REGISTRY), seen=True)
    assert written("app:1", pulled) == "tags.taken"
    assert written("app:1", pulled, pulled=True) == "app:1"
    for own in (False, True):
        assert written("ds01/tiny:latest", Standing(image="sha256:1", tag=of(1001)), own=own) == "tags.protected"
        assert written("ds01-1001/thesis:latest", Standing(), own=own) == "tags.others"


def test_d20_a_pull_gives_the_registrys_meaning_whoever_wrote_the_name() -> None:
    his = Standing(image="sha256:1", tag=of(1001))
    for ref in ("app:1", "r.io/app:1", "h:5000/app:1"):
        assert written(ref, his, pulled=True) == ref
        assert written(ref, Standing(writer=1001), pulled=True) == ref
        assert written(ref, Standing(image="sha256:1", writer=1001), pulled=True) == ref
        for own in (False, True):
            assert written(ref, Standing(), own=own, pulled=True) == ref
    assert written("app:1", Standing(image="sha256:1"), pulled=True) == "tags.taken"
    assert written("app:1", Standing(image="sha256:1", tag=of(None, Provenance.ADMIN)), pulled=True) == "tags.taken"
    assert written("ds01/tiny:latest", his, pulled=True) == "tags.protected"
    assert written(f"app{EVERY_TAG}", Standing(), own=True, pulled=True) == f"app{EVERY_TAG}"
    long = "a" * 240 + ":1"
    assert written(long, his, pulled=True) == "tags.taken"


@pytest.mark.parametrize(
    ("ref", "pulled", "image", "absent"),
    [("ds01/tiny:latest", True, "", True), ("ds01/tiny:latest", True, "sha256:1", False),
     ("ds01/tiny:latest", False, "", False), (f"ds01/tiny{EVERY_TAG}", True, "", False)],
)  # fmt: skip
def test_who_pulls_a_name_of_the_servers_that_is_not_here_is_told_that(
    ref: str, pulled: bool, image: str, absent: bool
) -> None:
    with pytest.raises(RefusedError) as caught:
        written_as(Write(ref=ref, uid=1002, pulled=pulled), Standing(image=image), has_own=False, settings=SETTINGS)
    told = f"There is no image {ref} here, and the server's own names are pulled from nowhere"
    assert (caught.value.what == told) is absent
    assert ("docker images" in caught.value.advice) is absent
    assert (caught.value.rule, caught.value.status) == ("tags.protected", 403)


def test_a_digest_is_the_same_whoever_brought_it() -> None:
    digest = f"app@sha256:{'a' * 64}"
    assert written(digest, Standing(image="sha256:1"), pulled=True) == digest


def test_names_with_a_registry_are_each_ones_own_as_well() -> None:
    his = Standing(image="sha256:1", tag=of(1001))
    assert written("r.io/app:1", his) == "ds01-u1002/r.io/app:1"
    assert written("h:5000/app:1", his) == "ds01-u1002/h.port__5000/app:1"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Successfully tagged ds01-u1002/app:1\n", "Successfully tagged app:1\n"),
        ("naming to docker.io/ds01-u1002/app:1 done", "naming to docker.io/library/app:1 done"),
        ("FROM docker.io/ds01-u1002/team/app:1", "FROM docker.io/team/app:1"),
        ('reference "ds01-u1002/app" (must force)', 'reference "app" (must force)'),
        (
            "ds01-u1002 is a network, ds01-u10021/app is not hers",
            "ds01-u1002 is a network, ds01-u10021/app is not hers",
        ),
        ("r.io/ds01-u1002/app", "r.io/ds01-u1002/app"),
        ("naming to docker.io/ds01-u1002/r.io/app:1 done", "naming to r.io/app:1 done"),
        ("FROM docker.io/ds01-u1002/h.port__5000/app", "FROM h:5000/app"),
        ("Successfully tagged ds01-u1002/localhost/app:1", "Successfully tagged localhost/app:1"),
    ],
)
def test_what_the_engine_says_is_told_with_her_names(said: str, shown: str) -> None:
    assert plain_text(said, 1002) == shown


def test_the_engines_own_names_are_read_as_they_are() -> None:
    assert looked_up("ds01-u1002/app") == "ds01-u1002/app:latest"
    assert looked_up("docker.io/ds01-u1002/app:1") == "ds01-u1002/app:1"


@pytest.mark.parametrize(
    ("pattern", "ref", "found"),
    [
        ("app_*", "app_web:latest", True), ("app_web", "app_web:1", True), ("app_web:1", "app_web:2", False),
        ("*", "team/app:1", False), ("*/*", "team/app:1", True), ("te?m/a[a-p]p", "team/app:1", True),
        ("[^t]*", "team:1", False), ("*:1", "app:1", True), ("app\\_web", "app_web:1", True), ("[", "a:1", False),
        ("app:*", "app:1", True), ("*p*", "app:1", True), ("a\\", "a:1", False), ("*a" * 120 + "c", "a" * 250, False),
    ],
)  # fmt: skip
def test_filters_by_name_are_the_engines(pattern: str, ref: str, found: bool) -> None:
    assert References([pattern]).find(ref) is found
    assert References(["x[", pattern, "nothing"]).find(ref) is found


def test_e33_many_patterns_and_many_names_keep_nobody_waiting() -> None:
    patterns = [*["*" + "a*" * 8 + "b"] * 99, "*" + "a*" * 120 + "c"]
    assert sum(map(len, patterns)) <= FILTERS_LENGTH
    found = References(patterns)
    with not_for_hours():
        assert [found.find(f"{'a' * 240}{n}:1") for n in range(500)] == [False] * 500
    assert found.find("a" * 200 + "c")
