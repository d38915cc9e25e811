"""A container for tests."""

from __future__ import annotations

from ds01.wire.containers import ContainerView


def container(workspace: str, name: str = "thesis") -> ContainerView:
    return ContainerView(
        name=name, id="c" * 64, owner="ada", project="thesis", image="ds01-1/thesis", state="running", door="ds01",
        created_at="2026-11-26T08:00:00+00:00", workspace=workspace,
    )  # fmt: skip
