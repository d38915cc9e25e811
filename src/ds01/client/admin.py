"""What only admins ask of ds01d."""

from __future__ import annotations

from ds01.client.asking import Asking
from ds01.wire.admin import (
    AnnouncementView,
    AnnounceRequest,
    AuditView,
    BackupRequest,
    BackupView,
    DoorReportView,
    FenceView,
    GlassRequest,
    GlassView,
)


class Admin(Asking):
    """ds01d, asked as an admin. Whoever is none gets Ds01Error (``admin.only``)."""

    def open_glass(self, reason: str, minutes: int) -> GlassView:
        """Open the way past the gateway for oneself."""
        return self._do(GlassView, "POST", "/v1/admin/glass", GlassRequest(reason=reason, minutes=minutes))

    def close_glass(self) -> GlassView:
        """Close it before its time."""
        return self._do(GlassView, "DELETE", "/v1/admin/glass")

    def door_report(self, since: str = "") -> DoorReportView:
        """What the gateway would have refused while it only watched."""
        return self._get(DoorReportView, "/v1/admin/door", since=since)

    def announcement(self) -> AnnouncementView:
        """What everybody is told now; empty when nothing is."""
        return self._get(AnnouncementView, "/v1/admin/announcement")

    def announce(self, text: str, until: str = "") -> AnnouncementView:
        """Tell everybody something until a time."""
        return self._do(AnnouncementView, "POST", "/v1/admin/announcement", AnnounceRequest(text=text, until=until))

    def clear_announcement(self) -> AnnouncementView:
        """End it before its time; the answer is what stood."""
        return self._do(AnnouncementView, "DELETE", "/v1/admin/announcement")

    def back_up(self, path: str = "") -> BackupView:
        """Have the ledger copied to a new file on the server."""
        return self._do(BackupView, "POST", "/v1/admin/backup", BackupRequest(path=path), patience=3600)

    def verify_events(self) -> AuditView:
        """Have every event there ever was looked at."""
        return self._get(AuditView, "/v1/admin/events/verify", patience=3600)

    def fence(self) -> FenceView:
        """Whether the fence around users' networks stands."""
        return self._get(FenceView, "/v1/admin/fence")

    def fence_down(self) -> FenceView:
        """Take it down, and leave it down."""
        return self._do(FenceView, "DELETE", "/v1/admin/fence")

    def fence_up(self) -> FenceView:
        """Put it up again."""
        return self._do(FenceView, "POST", "/v1/admin/fence")
