"""Removing an image, or one of its names: what the engine may remove for a user, and what is only hers no more.

The engine knows one image with its names; its users each see their own. What only the user has goes for good, as with
an engine of her own. What others have as well stays for them: her names go, and the image no longer counts as hers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ds01.domain.dockerpolicy.verdict import RefusedError, absent, not_allowed
from ds01.domain.image import Image, Provenance, Tag, repository
from ds01.domain.image_access import PULLED, Access, is_common
from ds01.domain.own_images import plain_image
from ds01.domain.settings import ImageSettings


@dataclass(frozen=True, kw_only=True)
class Belongings:
    """An image as one user has it. ``used_by_others``: containers of others have been made from it."""

    image: Image
    access: Access
    tags: Mapping[str, Tag | None]
    account: str
    used_by_others: bool
    settings: ImageSettings

    @property
    def is_owner(self) -> bool:
        """Whether she is one of its owners."""
        return self.account in self.access.owners

    @property
    def others(self) -> bool:
        """Whether it is somebody else's as well, or the server's."""
        return self.used_by_others or bool(self.access.owners - {self.account}) or bool(self.foreign)

    @property
    def foreign(self) -> tuple[str, ...]:
        """The names that are not hers to remove."""
        return tuple(ref for ref in self.image.tags if not self.written(ref) and not self.pulled(ref))

    def called(self, ref: str) -> str:
        """What she calls it."""
        return plain_image(ref, int(self.account.partition(":")[0]))

    def written(self, ref: str) -> bool:
        """Whether she wrote this name."""
        tag = self.tags.get(ref)
        return tag is not None and tag.provenance is Provenance.USER and self.access.readers.get(ref) == self.account

    def pulled(self, ref: str) -> bool:
        """Whether this name was pulled, and she is one of those who did."""
        tag = self.tags.get(ref)
        common = is_common(ref, tag, self.settings)
        return tag is not None and tag.provenance in PULLED and self.is_owner and not common


@dataclass(frozen=True, kw_only=True)
class Removal:
    """``targets`` the engine removes; ``untagged`` and ``deleted`` are hers no more, and stay for others."""

    targets: tuple[str, ...] = ()
    untagged: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


def removal(has: Belongings, ref: str, *, force: bool) -> Removal:
    """What removing ``ref`` means, or the whole image when it is empty. Raises RefusedError."""
    return _name(has, ref) if ref else _all(has, force=force)


def _name(has: Belongings, ref: str) -> Removal:
    if not has.access.named(ref, has.account):
        raise absent("image", has.called(ref))
    if has.written(ref):
        last = has.image.tags == (ref,)
        if last and has.others:
            raise _in_use(has.called(ref))
        return Removal(targets=(ref,))
    if not has.pulled(ref):
        raise _not_hers(has.called(ref))
    others = has.used_by_others or bool(has.access.owners - {has.account})
    return Removal(untagged=(ref,)) if others else Removal(targets=(ref,))


def _all(has: Belongings, *, force: bool) -> Removal:
    if not has.is_owner:
        raise _not_hers(has.image.id) if has.access.shared else absent("image", has.image.id)
    if not has.others:
        return Removal(targets=(has.image.id,))
    written = tuple(ref for ref in has.image.tags if has.written(ref))
    pulled = tuple(ref for ref in has.image.tags if has.pulled(ref))
    if len({repository(ref) for ref in (*written, *pulled)}) > 1 and not force:
        raise RefusedError(
            "images.names", f"conflict: unable to delete {has.image.id[7:19]} (must be forced) - "
            "image is referenced in multiple repositories", status=409,
        )  # fmt: skip
    if written and len(written) == len(has.image.tags):
        raise _in_use(has.image.id)
    return Removal(targets=written, untagged=pulled, deleted=() if written or pulled else (has.image.id,))


def _in_use(what: str) -> RefusedError:
    return RefusedError(
        "images.in-use", f"conflict: unable to remove {what} - the image is in use by others",
        "It is removed when they are done with it.", status=409,
    )  # fmt: skip


def _not_hers(what: str) -> RefusedError:
    return not_allowed("images.shared", f"removing the image {what}, which is everybody's,", "It costs you nothing.")
