"""What only its number limits, of each user."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.gateway import counts
from ds01.gateway.counts import Counts


@pytest.mark.parametrize(
    ("which", "most", "said"),
    [("listening", counts.EVENTS, "streams of events"), ("copying", counts.COPIES, "copies of files")],
)
def test_they_are_so_many(which: str, most: int, said: str) -> None:
    going = getattr(Counts(), which)
    with ExitStack() as open_:
        for _ in range(most):
            open_.enter_context(going(1))
        with pytest.raises(RefusedError, match=said) as refused, going(1):
            pytest.fail("one more")
        assert refused.value.status == 429
        open_.enter_context(going(2))
    with going(1):
        pass
