"""Are the images here that projects build on?"""

from __future__ import annotations

from ds01.domain.errors import Ds01Error
from ds01.domain.settings import MINIMAL
from ds01.services.checks import Check, Finding, ok, warning
from ds01.services.world import World


async def _run(world: World) -> Finding:
    engine, bases = world.engine, world.settings().images.bases
    try:
        missing = [base for base in bases if await engine.image(base.reference) is None]
    except Ds01Error as error:
        return warning(f"Not looked at. {error.problem.message}", "See the check 'engine'.")
    names = [base.name for base in missing]
    if MINIMAL.name in names:
        return warning(
            "The base 'minimal' is not built: projects that use it cannot be built.",
            "sudo ds01 admin image minimal, or set images.bases.minimal.reference in the limits file.",
        )
    if missing:
        here = len(bases) - len(missing)
        return ok(
            f"{here} of {len(bases)} bases are here; fetched when first used, or by ds01 admin image prefetch:"
            f" {', '.join(names)}."
        )
    return ok(f"The bases are here: {', '.join(base.name for base in bases)}.")


CHECK = Check(about="the images that projects build on are here", run=_run)
