"""How much an image may say of itself, at every door it comes through."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ds01.domain.dockerpolicy.commit import judge_config
from ds01.domain.dockerpolicy.frontend import judge_frontend
from ds01.domain.dockerpolicy.heavy import too_heavy
from ds01.domain.dockerpolicy.protobuf import of, render
from ds01.domain.dockerpolicy.solve import judge_return
from ds01.domain.dockerpolicy.verdict import RefusedError
from ds01.domain.dockerpolicy.weight import CONFIG, LABELS, VARIABLE, size

ORDINARY = {
    "Env": ["PATH=/usr/bin", "NVIDIA_REQUIRE_CUDA=" + "cuda>=12.4 brand=tesla,driver>=470 " * 40],
    "Labels": {"devcontainer.metadata": json.dumps([{"id": "x", "extensions": ["y"] * 500}])},
    "Cmd": ["bash"], "OnBuild": ["COPY . /app", "RUN pip install -r /app/requirements.txt", "ENV A=$PATH:/x"],
}  # fmt: skip


def test_what_images_say_is_let_through() -> None:
    assert too_heavy(ORDINARY) == too_heavy({}) == too_heavy({"Labels": None, "Env": None, "OnBuild": None}) == ""


@pytest.mark.parametrize(
    "more",
    [
        {"Labels": {"a": "x" * LABELS}}, {"Labels": {str(n): "" for n in range(LABELS // 5)}},
        {"Labels": {"a": "<" * (LABELS // 6)}}, {"Env": ["A=" + "x" * VARIABLE]},
        {"Env": [f"A{n}=" + "x" * 30_000 for n in range(9)]}, {"Volumes": {"/" + "x" * CONFIG: {}}},
        {"OnBuild": [f"ENV a{n}=$a{n - 1}$a{n - 1}" for n in range(1, 41)]},
        {"OnBuild": ["ENV a=" + "$A" * 40], "Env": ["A=" + "x" * 30_000]}, {"OnBuild": ["ENV \"$x\"=y"]},
        {"OnBuild": ["RUN <<a\n" * 300 + "\n" * 80_000]}, {"OnBuild": ["RUN x"] * 1001},
    ],
)  # fmt: skip
def test_e33_what_is_too_much_is_seen(more: dict[str, Any]) -> None:
    assert too_heavy({**ORDINARY, **more})


def test_e33_the_size_is_as_the_engine_writes_it() -> None:
    assert size({"a": "<é"}) == len(b'{"a": "\\u003c') + len("é".encode()) + 2


def returned(labels: dict[str, str]) -> object:
    found = json.dumps({"config": {"Labels": labels}})
    entry = render([of(1, "containerimage.config"), of(2, found)])
    return judge_return(render([of(1, render([of(10, entry)]))]), {})


@pytest.mark.parametrize(
    "brought",
    [
        returned, lambda labels: judge_config({"Labels": labels}, {}, []),
        lambda labels: judge_frontend({f"label:{name}": value for name, value in labels.items()}, "linux/amd64"),
    ],
)  # fmt: skip
def test_e33_no_door_lets_long_labels_in(brought: Callable[[dict[str, str]], object]) -> None:
    brought({"a": "x" * 1000})
    with pytest.raises(RefusedError, match="labels are longer than 64K"):
        brought({str(n): "x" * 1000 for n in range(66)})


def test_files_of_a_dockerfile_are_no_context() -> None:
    judge_frontend({"context:docs": "local:docs"}, "linux/amd64")
    with pytest.raises(RefusedError, match="cannot be called 'dockerfiles'"):
        judge_frontend({"context:dockerfiles": "local:dockerfiles"}, "linux/amd64")
