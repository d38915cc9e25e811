"""``ds01 container create``: the first half of a launch."""

from __future__ import annotations

from collections.abc import Sequence

from ds01.cli.call import Call
from ds01.cli.launching import Wish, launch


def run(
    call: Call, *, project: str | None, gpus: str | None, mem: int | None, image: str | None, data: Sequence[str],
    workspace: str | None, name: str | None, no_build: bool,
) -> int:  # fmt: skip
    """Create it; an existing one stays as it is."""
    launched = launch(
        call,
        Wish(
            project=project, gpus=gpus, mem=mem, image=image, data=data, workspace=workspace, name=name,
            no_build=no_build, create_only=True,
        ),
    )  # fmt: skip
    container = launched.container
    if container is None:
        return 0
    if call.talk.json:
        call.talk.emit(container)
        return 0
    call.talk.done(f"{container.name} is {'created' if launched.new else f'there already, {container.state}'}.")
    call.talk.next(f"ds01 start {container.name}", f"ds01 launch {container.name}")
    return 0
