"""Who may see an image, under which of its names, and who may write or remove a name.

An image is one thing with many names, and its names may be different people's. So each name has readers of its own:
everybody for the server's bases and for what was pulled from a registry without a password; the owners of the image
for what was pulled with one; the user who wrote it for any other. A name nobody has a record of is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ds01.domain.image import Image, Ownership, Provenance, Tag, is_protected, repository, short, with_tag
from ds01.domain.labels import Label
from ds01.domain.people import Uid
from ds01.domain.settings import ImageSettings

EVERYBODY = "everybody"
OWNERS = "owners"
NOBODY = ""

Accounts = Callable[[Uid], str]
"""From a uid to the account that has it now, as ``uid:epoch``."""

PULLED = frozenset({Provenance.REGISTRY, Provenance.PRIVATE})
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{64}|sha256:[0-9a-f]{1,63}")


def is_id(text: str) -> bool:
    """Whether a reference can only be an id. A short one without ``sha256:`` may as well be a name."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who may see an image: accounts as ``uid:epoch``, and the readers of each of its names."""

    owners: frozenset[str] = frozenset()
    readers: Mapping[str, str] = field(default_factory=dict)

    @property
    def shared(self) -> bool:
        """Whether everybody may see it."""
        return EVERYBODY in self.readers.values()

    def seen_by(self, account: str) -> bool:
        """Whether this account may see and run it."""
        return self.shared or account in self.owners

    def named(self, ref: str, account: str) -> bool:
        """Whether this account may use this name of it. A digest may be used by whoever may use a tag beside it."""
        reader = self.readers.get(ref, NOBODY)
        if reader == NOBODY and "@" in ref:
            beside = (tag for tag in self.readers if "@" not in tag and repository(tag) == repository(ref))
            return any(self.named(tag, account) for tag in beside)
        return reader in (EVERYBODY, account) or (reader == OWNERS and account in self.owners)


def is_common(ref: str, tag: Tag | None, settings: ImageSettings) -> bool:
    """Whether a name is the server's own: a base of the catalogue, a protected name, or one the admin put there."""
    if is_base(ref, settings) or is_protected(ref, settings.protected):
        return True
    return tag is not None and tag.provenance is Provenance.ADMIN


def is_base(ref: str, settings: ImageSettings) -> bool:
    """Whether a name is that of a base of the catalogue, however the limits file spells it."""
    return short(ref) in {short(with_tag(base.reference)) for base in settings.bases}


def access(
    image: Image, tags: Mapping[str, Tag | None], brought: Iterable[Ownership], accounts: Accounts,
    settings: ImageSettings,
) -> Access:  # fmt: skip
    """The access to one image. ``tags`` are the records of its names, ``brought`` who brought it."""
    readers = {ref: _reader(image, ref, tag, accounts, settings) for ref, tag in tags.items()}
    brought = tuple(brought)
    owners = {f"{each.uid}:{each.epoch}" for each in brought} & {accounts(each.uid) for each in brought}
    owners |= {reader for reader in readers.values() if reader not in (EVERYBODY, OWNERS, NOBODY)}
    if not brought:
        if Label.INTERNAL in image.labels:
            return Access()
        if not owners and EVERYBODY not in readers.values():
            owners = _by_label(image, accounts)
    return Access(owners=frozenset(owners), readers=readers)


def _reader(image: Image, ref: str, tag: Tag | None, accounts: Accounts, settings: ImageSettings) -> str:
    if tag is not None and tag.owner is not None:
        owner = tag.makes_owner(image)
        return NOBODY if owner is None else accounts(owner)
    if is_common(ref, tag, settings):
        return EVERYBODY
    if tag is None or tag.image != image.id:
        return NOBODY
    return {Provenance.REGISTRY: EVERYBODY, Provenance.PRIVATE: OWNERS}.get(tag.provenance, NOBODY)


def _by_label(image: Image, accounts: Accounts) -> set[str]:
    """The owner whose build it is, and her epoch at that time: what is left when the ledger was lost."""
    uid = image.labels.get(Label.OWNER, "")
    if not uid.isdecimal():
        return set()
    owner = f"{int(uid)}:{image.labels.get(Label.EPOCH, '')}"
    return {owner} & {accounts(Uid(int(uid)))}
