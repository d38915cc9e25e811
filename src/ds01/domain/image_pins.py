"""By which name a build finds exactly the image that a name means now, whoever writes the name meanwhile.

A digest, where the image came from a registry, or else a second name that only DS01 writes and that goes when the build
is over. The server's own names, and those in a user's own name space, nobody else writes.
"""

from __future__ import annotations

from ds01.domain.image import Image, Tag, repository
from ds01.domain.image_access import is_common
from ds01.domain.names import image_repository
from ds01.domain.own_images import can_be_own, is_stored, pinned_image
from ds01.domain.people import Uid
from ds01.domain.settings import ImageSettings


def pinned(image: Image, ref: str, tag: Tag | None, uid: Uid, settings: ImageSettings) -> str:
    """That name for a user who may use ``ref``; empty when there can be none."""
    digest = next((each for each in image.digests if repository(each) == repository(ref)), "")
    if "@" in ref or is_stored(ref) or ref.startswith(image_repository(uid, "")) or is_common(ref, tag, settings):
        return ref
    if digest:
        return f"{ref}@{digest.partition('@')[2]}"
    return pinned_image(ref, uid) if can_be_own(ref, uid) else ""
