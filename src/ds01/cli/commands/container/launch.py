"""``ds01 launch``: the one idempotent verb. Afterwards the container runs, and one is in it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ds01.cli.call import Call

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from ds01.cli.launching import Launched


def run(
    call: Call, *, project: str | None, gpus: str | None, mem: int | None, image: str | None, data: Sequence[str],
    workspace: str | None, name: str | None, background: bool, recreate: bool, no_build: bool,
    wait: int | bool | None, no_wait: bool, time: int | None,
) -> int:  # fmt: skip
    """Launch, then step in where somebody is there to do so; the shell's exit code."""
    if not image:
        call.client.build_settings_ahead()
    from ds01.cli.launching import Wish, launch  # what reads projects is loaded while ds01d answers

    wish = Wish(
        project=project, gpus=gpus, mem=mem, image=image, data=data, workspace=workspace, name=name,
        recreate=recreate, no_build=no_build, time=time, wait=False if no_wait else wait, stays=background,
    )  # fmt: skip
    try:
        launched = launch(call, wish, stepping_in=_steps_in(call, background=background))
    finally:
        call.client.forget_ahead()
    return step_in(call, launched, background=background)


def step_in(call: Call, launched: Launched, *, background: bool) -> int:
    """Enter what was launched, where somebody is there to do so."""
    from ds01.cli.launching import told
    from ds01.cli.shell import begin, enter

    container = launched.container
    if container is None:
        return 0
    if call.talk.json:
        call.talk.emit(container)
        return 0
    if not _steps_in(call, background=background):
        call.talk.done(told(container))
        call.talk.next(f"ds01 attach {container.name}", f"ds01 retire {container.name}")
        return 0
    if launched.shell is not None:
        return begin(call, container, launched.shell, hello=launched.new, simulated=launched.simulated)
    return enter(call, container, hello=launched.new)


def _steps_in(call: Call, *, background: bool) -> bool:
    return not background and not call.talk.json and sys.stdin.isatty() and sys.stdout.isatty()
