"""What a hook of a container is told: never what the container's own processes are."""

from __future__ import annotations

from typing import Any

import pytest

from ds01.runc.hooks import PATH, told

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
NVIDIAS = "/usr/bin/nvidia-ctk"


def of(env: list[str] | None, kind: str = "createContainer") -> list[str]:
    """The variables of a hook that came with these, or with none of its own."""
    hook: dict[str, Any] = {"path": NVIDIAS, "args": ["nvidia-ctk", "hook"], "timeout": 5}
    ((found,),) = told({kind: [hook if env is None else hook | {"env": env}]}).values()
    assert {name: found[name] for name in hook} == hook
    variables: list[str] = found["env"]
    return variables


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("env", [None, []])
def test_e30_a_hook_without_variables_inherits_none(kind: str, env: list[str] | None) -> None:
    assert of(env, kind) == [PATH]


@pytest.mark.parametrize(
    "loading",
    ["LD_PRELOAD=./a.so", "LD_AUDIT=./a.so", "LD_LIBRARY_PATH=.", "LD_DEBUG_OUTPUT=/x", "GLIBC_TUNABLES=glibc.rtld=1",
     "GCONV_PATH=.", "LOCPATH=/proc/self/cwd", "NLSPATH=./%N", "BASH_ENV=./x", "ENV=./x"],
)  # fmt: skip
def test_e30_nothing_tells_a_hook_what_to_load(loading: str) -> None:
    assert of([loading, "NVIDIA_CTK_DEBUG=false"]) == ["NVIDIA_CTK_DEBUG=false"]
    assert of([loading]) == [PATH]


def test_what_the_engine_tells_a_hook_stays() -> None:
    engines = ["PATH=/usr/bin", "LANG=C", "TRACEPARENT=00-1", "ENVIRONMENT=x"]
    assert of(engines, "prestart") == engines


def test_kinds_without_a_hook_stay() -> None:
    assert told({"prestart": None, "poststop": []}) == {"prestart": [], "poststop": []}
