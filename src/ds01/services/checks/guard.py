"""Does the second layer stand behind the engine, and does nothing start past it?"""

from __future__ import annotations

from pathlib import PurePosixPath

from ds01.domain.errors import Ds01Error
from ds01.services.checks import Check, Finding, failed, ok, warning
from ds01.services.world import World

FIX = "ds01 install puts it behind the engine; for one that systemd does not start: ds01-guard FOLDER."
NAMESPACES = "user.max_user_namespaces"


async def _run(world: World) -> Finding:
    try:
        guarding = await world.engine.guard()
    except Ds01Error as error:
        return warning(f"Not looked at. {error.problem.message}", "See the check 'engine'.")
    if guarding is None:
        return warning(
            "The engine starts containers without ds01-runc: nothing stands behind the gateway, and everything in a "
            "user's container runs as its owner.",
            FIX,
        )
    if await world.facts.step_guard(world.paths.engine.removeprefix("unix://")) != guarding.folder:
        return failed(
            "The engine finds another runc on its PATH than ds01-runc: BuildKit and --runtime runc go past it.",
            f"Put {guarding.folder} first in the engine's PATH. {FIX}",
        )
    if await world.facts.sysctl(NAMESPACES) == "0":
        return failed("The kernel makes no user namespaces, so no container with root starts.", f"sysctl {NAMESPACES}")
    for folder in (guarding.folder, f"{guarding.folder}/grants", guarding.data_root):
        found = await world.facts.file(folder)
        if found is None or found.owner_uid != 0 or found.mode & 0o022:
            return failed(f"Others than root may write to {folder}.", f"chown root:root {folder}; chmod go-w {folder}")
    data = await world.facts.file(guarding.data_root)
    if data is not None and data.mode & 0o001:
        return failed(
            f"Everybody may enter {guarding.data_root}, and with it the files of every container.",
            f"chmod o-x {PurePosixPath(guarding.data_root)}",
        )
    return ok("ds01-runc stands behind the engine, also before its builds.")


CHECK = Check(about="nothing starts on the engine past ds01-runc", run=_run)
