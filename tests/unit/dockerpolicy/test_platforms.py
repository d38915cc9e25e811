"""What is pulled has everybody's name, so it is what this server can run."""

import pytest

from ds01.domain.dockerpolicy.registries import check_pulled_platform
from ds01.domain.dockerpolicy.verdict import RefusedError


@pytest.mark.parametrize("value", ["", "linux", "linux/amd64", "linux/amd64/v3"])
def test_this_servers_own_is_pulled(value: str) -> None:
    check_pulled_platform(value, "linux/amd64")


@pytest.mark.parametrize("value", ["linux/arm64", "linux/am", "windows", "linux/amd6", "l", "amd64", "linux/amd64x"])
def test_another_machines_is_not(value: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_pulled_platform(value, "linux/amd64")
    assert refused.value.rule == "pull.platform"
