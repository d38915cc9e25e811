"""What only admins ask of ds01d."""

from __future__ import annotations

from ds01.client.asking import Asking
from ds01.wire.admin import DoorReportView, FenceView, GlassRequest, GlassView


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

    def fence(self) -> FenceView:
        """Whether the fence around users' networks stands."""
        return self._get(FenceView, "/v1/admin/fence")

    def fence_down(self) -> FenceView:
        """Take it down, and leave it down."""
        return self._do(FenceView, "DELETE", "/v1/admin/fence")

    def fence_up(self) -> FenceView:
        """Put it up again."""
        return self._do(FenceView, "POST", "/v1/admin/fence")
