"""``ds01 image create``: the image the project file asks for."""

from __future__ import annotations

from ds01.cli import project as known
from ds01.cli.building import build, write
from ds01.cli.call import Call
from ds01.cli.imaging import plan, tell
from ds01.projects import prepare


def run(call: Call, *, name: str | None, no_cache: bool, overwrite_dockerfile: bool) -> int:
    """Build, unless there is nothing to do."""
    project = known.meant(call, name)
    settings = call.client.build_settings()
    recipe = prepare.recipe(project, settings)
    planned = plan(call, project, recipe, settings, anew=no_cache)
    if call.talk.dry_run:
        return tell(call, planned, prepare.difference(project, recipe))
    if not planned.reason:
        write(call, project, recipe, overwrite=overwrite_dockerfile)
        return tell(call, planned)
    call.talk.detail(f"It is built because {planned.reason}.")
    built = build(call, project, recipe, anew=no_cache, overwrite=overwrite_dockerfile)
    return tell(call, planned, built=built)
