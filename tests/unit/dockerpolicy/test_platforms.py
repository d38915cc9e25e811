"""What is pulled has everybody's name, so it is what this server can run; and what is asked for another machine is not
made for this one in silence.
"""

import pytest

from ds01.domain.dockerpolicy.dockerfile import check_platforms, read
from ds01.domain.dockerpolicy.frontend import judge_frontend
from ds01.domain.dockerpolicy.platform import check_platform
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


OWN = ["", "linux", "linux/amd64", "linux/amd64/v3", "linux/x86_64", "Linux/AMD64"]
OTHER = ["linux/arm64", "windows", "amd64", "linux/amd64/v3,linux/arm64", "linux/amd64,linux/arm64", "linux/amd64/"]


@pytest.mark.parametrize("value", OWN)
def test_this_servers_own_is_everywhere_however_it_is_written(value: str) -> None:
    check_platform("create.platform", "a container for", value, "linux/amd64")
    assert judge_frontend({"platform": value}, "linux/amd64").options == {}
    check_platforms(read(f"FROM --platform={value or '$X'} bb", {}), "linux/amd64")


@pytest.mark.parametrize("value", OTHER)
def test_another_machines_is_nowhere(value: str) -> None:
    for judge in (
        lambda: check_platform("build.platform", "building for", value, "linux/amd64"),
        lambda: judge_frontend({"platform": value}, "linux/amd64"),
        lambda: check_platforms(read(f"FROM bb AS one\nFROM --platform={value} bb", {}), "linux/amd64"),
    ):
        with pytest.raises(RefusedError) as refused:
            judge()
        assert refused.value.rule == "build.platform"
        assert refused.value.message == (
            f"DS01: building for {value} is not allowed here (build.platform). This server runs linux/amd64. "
            "More: ds01 why-refused"
        )


@pytest.mark.parametrize("value", ["$BUILDPLATFORM", "${TARGETPLATFORM}", "linux/$TARGETARCH", '"linux/amd64"'])
def test_what_a_build_says_of_its_own_machine_passes(value: str) -> None:
    found = read(f"FROM --platform={value} bb AS one\nRUN x", {})
    check_platforms(found, "linux/amd64")
    assert [each.text for each in found] == ["FROM {image} AS one", "RUN x"]
