"""How often an image's health is looked at is for DS01 to bound, in every version of the API."""

from __future__ import annotations

import pytest

from ds01.domain.health import NO_START_NS, OFTEN_NS, Health, slowed

LIVELY = Health(interval_ns=1_000_000, starting_ns=1_000_000)


def test_d10_what_is_too_often_is_slowed() -> None:
    assert slowed(LIVELY) == {"Interval": OFTEN_NS, "StartInterval": OFTEN_NS}


@pytest.mark.parametrize("image", [Health(), Health(interval_ns=OFTEN_NS, starting_ns=OFTEN_NS)])
def test_the_rest_is_the_images(image: Health) -> None:
    assert slowed(image) == {}


def test_d10_in_an_api_that_does_not_know_the_beginning_there_is_none() -> None:
    assert slowed(LIVELY, (1, 43)) == {"Interval": OFTEN_NS, "StartPeriod": NO_START_NS}
