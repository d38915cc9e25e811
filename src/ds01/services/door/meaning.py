"""What image names mean now. Of many the engine is asked once: nobody else may reserve or record a name meanwhile, and
that may not last as long as somebody has names.
"""

from __future__ import annotations

from collections.abc import Collection

from ds01.domain.image import Image, with_tag
from ds01.services.world import World

FEW = 8
"""Names that are looked up one by one."""


async def meant(world: World, refs: Collection[str]) -> dict[str, Image | None]:
    """The image each of these names or ids means, None where there is none. Of many, what only an inspected image tells
    is not known.
    """
    if len(refs) <= FEW:
        return {ref: await world.engine.image(ref) for ref in sorted(refs)}
    every: dict[str, Image] = {}
    for image in await world.engine.images():
        every |= dict.fromkeys((image.id, *image.tags, *image.pins, *image.digests), image)
    return {ref: every.get(ref) or every.get(with_tag(ref)) for ref in sorted(refs)}


async def there(world: World, ids: Collection[str]) -> list[Image]:
    """Those of these images that are there."""
    return [image for image in (await meant(world, ids)).values() if image is not None]
