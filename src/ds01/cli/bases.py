"""Which version of its base a project's image would be built on now."""

from __future__ import annotations

from ds01.cli.call import Call
from ds01.projects.recipe import Recipe
from ds01.wire.images import BuildSettings


def base_id(call: Call, recipe: Recipe, settings: BuildSettings) -> str:
    """The id the recipe's base image has now, ``""`` when it is not here or only the Dockerfile knows."""
    for base in settings.bases:
        if base.reference == recipe.base:
            return base.digest
    if not recipe.base:
        return ""
    from ds01.cli.shell import docker  # only bases outside the catalogue need the engine's word

    found = docker(call).image(recipe.base)
    return str(found["Id"]) if found else ""
