"""Words for a container's life on the wire: more time, notices, how one is told, exemptions. Times are ISO 8601."""

from __future__ import annotations

from ds01.domain.record import made, record
from ds01.wire.containers import ContainerView


@record
class ExtendRequest:
    """Add this to the time a container may run."""

    seconds: int


@record
class ExtendView:
    """``total_seconds`` was added in all, ``more_seconds`` may still be; ``ends_at`` None: nobody can say yet."""

    container: ContainerView
    added_seconds: int
    total_seconds: int
    more_seconds: int
    ends_at: str | None = None


@record
class KeepRequest:
    """Let it idle until then, a time with its zone."""

    until: str


@record
class KeepView:
    """Until when it may idle."""

    container: ContainerView
    until: str


@record
class NoticeView:
    """One notice. ``acts_at`` is when what it warns of happens; ``reached`` says by which channel it reached what."""

    id: str
    at: str
    container: str
    rule: str
    level: str
    title: str
    text: str
    open: bool
    acts_at: str | None = None
    delivered_at: str | None = None
    reached: dict[str, str] = made(factory=dict)


@record
class WishesRequest:
    """What to change of how one is told; None stays, empty takes away."""

    mail: str | None = None
    webhook: str | None = None
    shape: str | None = None
    off: tuple[str, ...] | None = None


@record
class PreferencesView:
    """How one is told: ``channels`` there are, those that are ``off``, and where mail and messages go."""

    mail: str
    webhook: str
    shape: str
    off: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    mail_works: bool = False
    webhooks: tuple[str, ...] = ()


@record
class ExemptRequest:
    """Lift these limits of somebody until then, for a reason."""

    login: str
    keys: tuple[str, ...]
    until: str
    reason: str


@record
class ExemptionView:
    """Limits that do not hold for somebody until a time."""

    id: str
    login: str
    keys: tuple[str, ...]
    until: str
    reason: str
    by: str
    at: str
