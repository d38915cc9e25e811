"""ds01d, as a Python object: one method per thing it does, in the types of ``ds01.wire``.

Every failure is a Ds01Error with the sentence, the reason and the next step that ds01d gave, so a script can show
it as it is or look at ``error.kind``.
"""

from __future__ import annotations

from collections.abc import Iterator

from ds01.client.answers import encoded, read_all
from ds01.client.asking import ANSWER_SECONDS, Asking
from ds01.client.http import Request, escaped, target
from ds01.client.place import socket_path
from ds01.wire.containers import (
    ContainerView,
    RetirePreview,
    RetireRequest,
    RetireResult,
    StartResult,
    StatsView,
    StopRequest,
    WhyView,
)
from ds01.wire.errors import error
from ds01.wire.gpus import GpusView, LeaseView
from ds01.wire.queue import PlaceView, QueueView
from ds01.wire.status import DoctorView, EventView, LimitsView, LimitView, PingView, StatusView

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:  # imported by the methods that need them: making their classes takes as long as asking ds01d
    from ds01.wire.bookings import Booked, BookingsView, BookRequest
    from ds01.wire.classes import ClassClosed, ClassOpened, ClassRequest, ClassSeat, ClassView
    from ds01.wire.gpus import ForeignView
    from ds01.wire.history import TraceJobView
    from ds01.wire.images import BuildSettings, ImageView, RemovedImage
    from ds01.wire.jobs import JobPlan, JobRequest, JobsView, JobView
    from ds01.wire.launches import LaunchEvent, LaunchPlan, LaunchRequest
    from ds01.wire.lifecycle import ExemptionView, ExtendView, KeepView, NoticeView, PreferencesView, WishesRequest
    from ds01.wire.mig import DrainView, MigView
    from ds01.wire.report import ReportView
    from ds01.wire.usage import ConsumptionView

EVENTS = 200
"""Events that are asked for where nobody says how many."""

_SETTINGS = "/v1/images/settings"


def connect(socket: str | None = None) -> Client:
    """A client of the ds01d at ``socket``, by default ``$DS01_SOCKET`` or the installed one. Opens nothing yet."""
    return Client(socket or socket_path())


class Client(Asking):
    """ds01d, asked as the user who runs this process. ``user`` and ``everybody`` are for admins."""

    # who and what ----------------------------------------------------------------------------------

    def ping(self) -> PingView:
        """Whether ds01d is there, and what it is."""
        return self._get(PingView, "/v1/ping")

    def status(self, *, user: str = "") -> StatusView:
        """What I use, what I may use, what is free."""
        return self._get(StatusView, "/v1/status", user=user)

    def gpus(self) -> GpusView:
        """Every slot of the server."""
        return self._get(GpusView, "/v1/gpus")

    def leases(self, *, everybody: bool = False) -> tuple[LeaseView, ...]:
        """Open leases."""
        return self._list(LeaseView, "/v1/leases", all=everybody)

    def limits(self, *, user: str = "") -> LimitsView:
        """Every limit in force."""
        return self._get(LimitsView, "/v1/limits", user=user)

    def limit(self, key: str, *, user: str = "") -> LimitView:
        """One limit, and the line it comes from."""
        return self._get(LimitView, f"/v1/limits/{escaped(key)}", user=user)

    def doctor(self) -> DoctorView:
        """Every check of the server."""
        return self._get(DoctorView, "/v1/doctor")

    def events(
        self,
        *,
        after: int | None = None,
        since: str = "",
        kind: str = "",
        limit: int = 0,
        user: str = "",
        everybody: bool = False,
    ) -> tuple[EventView, ...]:
        """What happened, oldest first: the latest so many, or the first ones ``after`` a number. 0 is 200."""
        from ds01.client.pages import first_events, latest_events

        def page(limit: int, since: str, **where: object) -> tuple[EventView, ...]:
            return self._list(
                EventView, "/v1/events", **where, since=since, type=kind, limit=limit, user=user, all=everybody
            )

        wanted = limit or EVENTS
        if after is None:
            return latest_events(lambda seq, rows: page(rows, since, before=seq), wanted)
        return first_events(lambda seq, rows: page(rows, "" if seq else since, after=str(seq or after)), wanted)

    def follow_events(
        self,
        *,
        after: int = 0,
        since: str = "",
        kind: str = "",
        user: str = "",
        everybody: bool = False,
    ) -> Iterator[EventView]:
        """What happens, as it happens, until ds01d stops or the caller does."""
        where = target("/v1/events", after=after, since=since, type=kind, user=user, all=everybody, follow=True)
        yield from self._lines(EventView, Request(method="GET", target=where))

    # containers ------------------------------------------------------------------------------------

    def containers(
        self, *, removed: bool = False, everybody: bool = False, user: str = ""
    ) -> tuple[ContainerView, ...]:
        """My containers, with ``removed`` also those that are gone."""

        def page(skip: int | None, _rows: int) -> tuple[ContainerView, ...]:
            return self._list(ContainerView, "/v1/containers", removed=removed, skip=skip, all=everybody, user=user)

        if not removed:
            return page(None, 0)
        from ds01.client.pages import all_containers

        return all_containers(page)

    def container(self, name: str, *, user: str = "") -> ContainerView:
        """One container."""
        return self._get(ContainerView, _container(name), user=user)

    def plan(self, request: LaunchRequest) -> LaunchPlan:
        """What a launch would do now; changes nothing."""
        from ds01.wire.launches import LaunchPlan

        return self._do(LaunchPlan, "POST", "/v1/launches/plan", request)

    def launch(self, request: LaunchRequest) -> Iterator[LaunchEvent]:
        """Launch, step by step, waiting first if ``request.wait``. The last event has the container. Who stops reading
        before the end hangs up.
        """
        yield from self.launch_now(request)

    def launch_now(self, request: LaunchRequest) -> Iterator[LaunchEvent]:
        """The same, begun before its first event is read."""
        return self._launching("/v1/launches", request)

    def _launching(self, where: str, request: LaunchRequest | None = None) -> Iterator[LaunchEvent]:
        from ds01.wire.launches import LaunchEvent

        sent = Request(method="POST", target=where, body=None if request is None else encoded(request))
        return map(_went_well, self._begun(LaunchEvent, sent))

    # the queue -------------------------------------------------------------------------------------

    def queue(self, *, everybody: bool = False, user: str = "") -> QueueView:
        """My places in the queue, and how many others wait."""
        return self._get(QueueView, "/v1/queue", all=everybody, user=user)

    def claim(self, name: str) -> Iterator[LaunchEvent]:
        """Take the GPUs that are kept for ``name``, step by step, as ``launch`` does."""
        yield from self._launching(f"/v1/queue/{escaped(name)}/claim")

    def cancel(self, name: str, *, user: str = "") -> PlaceView:
        """Give a place in the queue up; the answer is the place as it was."""
        return self._do(PlaceView, "DELETE", target(f"/v1/queue/{escaped(name)}", user=user))

    # bookings --------------------------------------------------------------------------------------

    def bookings(self, *, everybody: bool = False, over: bool = False, user: str = "") -> BookingsView:
        """My bookings and those I may use, every date of them."""
        from ds01.wire.bookings import BookingsView

        return self._get(BookingsView, "/v1/bookings", all=everybody, over=over, user=user)

    def book(self, request: BookRequest, *, user: str = "") -> Booked:
        """Book GPUs; all dates of it."""
        from ds01.wire.bookings import Booked

        return self._do(Booked, "POST", target("/v1/bookings", user=user), request)

    def cancel_booking(self, name: str, *, date: str = "", check_only: bool = False, user: str = "") -> Booked:
        """Give up a booking, or one date of it; what was given up."""
        from ds01.wire.bookings import Booked

        where = target(f"/v1/bookings/{escaped(name)}", date=date, check_only=check_only, user=user)
        return self._do(Booked, "DELETE", where)

    def calendar(self, *, everybody: bool = False, user: str = "") -> str:
        """The bookings as an iCalendar file."""
        where = target("/v1/bookings/calendar", all=everybody, user=user)
        return self._body(Request(method="GET", target=where), ANSWER_SECONDS).decode()

    # classes ---------------------------------------------------------------------------------------

    def classes(self, *, everybody: bool = False) -> tuple[ClassView, ...]:
        """Classes I opened and those I am in."""
        from ds01.wire.classes import ClassView

        return self._list(ClassView, "/v1/classes", all=everybody)

    def open_class(self, request: ClassRequest) -> ClassOpened:
        """Book seats for everybody on a roster."""
        from ds01.wire.classes import ClassOpened

        return self._do(ClassOpened, "POST", "/v1/classes", request)

    def class_(self, name: str, *, user: str = "") -> ClassView:
        """One class with its people."""
        from ds01.wire.classes import ClassView

        return self._get(ClassView, f"/v1/classes/{escaped(name)}", user=user)

    def class_seat(self, name: str) -> ClassSeat:
        """What I launch with in a class."""
        from ds01.wire.classes import ClassSeat

        return self._get(ClassSeat, f"/v1/classes/{escaped(name)}/seat")

    def close_class(
        self, name: str, *, all_dates: bool = False, check_only: bool = False, user: str = ""
    ) -> ClassClosed:
        """End a class: what is left of it is retired, workspaces stay."""
        from ds01.wire.classes import ClassClosed

        where = target(f"/v1/classes/{escaped(name)}", all_dates=all_dates, check_only=check_only, user=user)
        return self._do(ClassClosed, "DELETE", where, patience=3600)

    # jobs ------------------------------------------------------------------------------------------

    def plan_job(self, request: JobRequest) -> JobPlan:
        """What would be submitted; changes nothing."""
        from ds01.wire.jobs import JobPlan

        return self._do(JobPlan, "POST", "/v1/jobs/plan", request)

    def submit(self, request: JobRequest) -> JobsView:
        """Submit a job or an array; when this returns it is written down and will be run, whatever happens here."""
        from ds01.wire.jobs import JobsView

        return self._do(JobsView, "POST", "/v1/jobs", request)

    def jobs(self, *, limit: int = 200, everybody: bool = False, user: str = "") -> tuple[JobView, ...]:
        """My latest jobs, ended or not, the latest last."""
        from ds01.client.pages import latest_jobs
        from ds01.wire.jobs import JobView

        def page(skip: int | None, rows: int) -> tuple[JobView, ...]:
            return self._list(JobView, "/v1/jobs", limit=rows, skip=skip, all=everybody, user=user)

        return latest_jobs(page, limit)

    def job(self, name: str, *, user: str = "") -> JobsView:
        """One job, or all tasks of an array."""
        from ds01.wire.jobs import JobsView

        return self._get(JobsView, f"/v1/jobs/{escaped(name)}", user=user)

    def follow_job(self, name: str) -> Iterator[JobsView]:
        """The same now and whenever it changes, until all have ended."""
        from ds01.wire.jobs import JobsView

        yield from self._lines(JobsView, Request(method="GET", target=f"/v1/jobs/{escaped(name)}/follow"))

    def wait_job(self, name: str) -> JobsView:
        """Wait until it has ended, over restarts of ds01d; ``jobs[0].code`` is its exit code."""
        from ds01.client.patience import until_ended

        return until_ended(self, name)

    def cancel_job(self, name: str, *, user: str = "") -> JobsView:
        """Give a job up: what waits ends at once, what runs is asked to end."""
        from ds01.wire.jobs import JobsView

        return self._do(JobsView, "DELETE", target(f"/v1/jobs/{escaped(name)}", user=user))

    # running ---------------------------------------------------------------------------------------

    def start(self, name: str, *, user: str = "", reason: str = "") -> StartResult:
        """Start a stopped container; its GPU is leased again. ``reason`` is what an admin tells its owner."""
        where = target(f"{_container(name)}/start", user=user, reason=reason)
        return self._do(StartResult, "POST", where, patience=120)

    def stop(self, name: str, *, grace_seconds: int | None = None, user: str = "", reason: str = "") -> ContainerView:
        """Stop a container: SIGTERM, the grace, SIGKILL."""
        wait = (grace_seconds if grace_seconds is not None else 3600) + ANSWER_SECONDS
        request = StopRequest(grace_seconds=grace_seconds)
        where = target(f"{_container(name)}/stop", user=user, reason=reason)
        return self._do(ContainerView, "POST", where, request, patience=wait)

    def extend(self, name: str, seconds: int, *, user: str = "", reason: str = "") -> ExtendView:
        """Add to the time a container may run."""
        from ds01.wire.lifecycle import ExtendRequest, ExtendView

        where = target(f"{_container(name)}/extend", user=user, reason=reason)
        return self._do(ExtendView, "POST", where, ExtendRequest(seconds=seconds))

    def keep(self, name: str, until: str, *, user: str = "", reason: str = "") -> KeepView:
        """Let a container idle until a time with its zone (ISO 8601)."""
        from ds01.wire.lifecycle import KeepRequest, KeepView

        where = target(f"{_container(name)}/keep", user=user, reason=reason)
        return self._do(KeepView, "POST", where, KeepRequest(until=until))

    def undo(self, name: str, *, user: str = "", reason: str = "") -> StartResult:
        """Start a container again that DS01 stopped for idling or its runtime."""
        where = target(f"{_container(name)}/undo", user=user, reason=reason)
        return self._do(StartResult, "POST", where, patience=120)

    def pause(self, name: str, *, user: str = "", reason: str = "") -> ContainerView:
        """Freeze a container; it keeps its GPU."""
        return self._do(ContainerView, "POST", target(f"{_container(name)}/pause", user=user, reason=reason))

    def unpause(self, name: str, *, user: str = "", reason: str = "") -> ContainerView:
        """Let a paused container go on."""
        return self._do(ContainerView, "POST", target(f"{_container(name)}/unpause", user=user, reason=reason))

    def remove(self, name: str, *, force: bool = False, user: str = "", reason: str = "") -> ContainerView:
        """Remove a container; ``force`` also a running one."""
        where = target(_container(name), force=force, user=user, reason=reason)
        return self._do(ContainerView, "DELETE", where, patience=120)

    def retire_preview(self, name: str, *, user: str = "") -> RetirePreview:
        """What retiring would end and lose; changes nothing."""
        return self._get(RetirePreview, f"{_container(name)}/retire", patience=120, user=user)

    def retire(
        self, name: str, request: RetireRequest | None = None, *, user: str = "", reason: str = ""
    ) -> RetireResult:
        """Stop, remove, free the GPU."""
        where = target(f"{_container(name)}/retire", user=user, reason=reason)
        return self._do(RetireResult, "POST", where, request or RetireRequest(), patience=3600)

    def why(self, name: str, *, user: str = "") -> WhyView:
        """A container's story, also after it is gone."""
        return self._get(WhyView, f"{_container(name)}/why", user=user)

    def stats(self, name: str, *, user: str = "") -> StatsView:
        """One reading of a running container."""
        return self._get(StatsView, f"{_container(name)}/stats", user=user)

    def usage(self, *, since: str = "", by: str = "", user: str = "", everybody: bool = False) -> ConsumptionView:
        """What I used: by container, project, user or day."""
        from ds01.wire.usage import ConsumptionView

        return self._get(ConsumptionView, "/v1/usage", since=since, by=by, user=user, all=everybody)

    def foreign(self) -> tuple[ForeignView, ...]:
        """Who works on a GPU outside DS01; for admins."""
        from ds01.wire.gpus import ForeignView

        return self._list(ForeignView, "/v1/admin/foreign")

    def report(self, month: str = "") -> ReportView:
        """The month of the server (``2026-11``), by default the present one; for admins."""
        from ds01.wire.report import ReportView

        return self._get(ReportView, "/v1/admin/report", month=month)

    def metrics(self, *, people: bool = False) -> str:
        """What ds01d measures, in Prometheus' text format; with ``people`` what each user has, too."""
        where = target("/v1/metrics", people=people)
        return self._body(Request(method="GET", target=where), ANSWER_SECONDS).decode()

    # notices and exemptions ------------------------------------------------------------------------

    def notices(self, *, past: bool = False) -> tuple[NoticeView, ...]:
        """What DS01 told me and still holds, or with ``past`` the latest of all."""
        from ds01.wire.lifecycle import NoticeView

        return self._list(NoticeView, "/v1/notices", past=past)

    def unseen_notices(self) -> tuple[NoticeView, ...]:
        """What I was not told in a command yet; asking counts as being told."""
        from ds01.wire.lifecycle import NoticeView

        sent = Request(method="POST", target="/v1/notices/unseen")
        return read_all(NoticeView, self._body(sent, ANSWER_SECONDS))

    def wishes(self) -> PreferencesView:
        """How I am told."""
        from ds01.wire.lifecycle import PreferencesView

        return self._get(PreferencesView, "/v1/notices/wishes")

    def wish(self, request: WishesRequest) -> PreferencesView:
        """Change how I am told."""
        from ds01.wire.lifecycle import PreferencesView

        return self._do(PreferencesView, "POST", "/v1/notices/wishes", request)

    def exempt(self, login: str, keys: tuple[str, ...], until: str, reason: str) -> ExemptionView:
        """Lift limits of a user until a time; admins only."""
        from ds01.wire.lifecycle import ExemptionView, ExemptRequest

        request = ExemptRequest(login=login, keys=keys, until=until, reason=reason)
        return self._do(ExemptionView, "POST", "/v1/exemptions", request)

    def exemptions(self) -> tuple[ExemptionView, ...]:
        """Exemptions by word that are in force; admins only."""
        from ds01.wire.lifecycle import ExemptionView

        return self._list(ExemptionView, "/v1/exemptions")

    def end_exemption(self, exemption: str) -> ExemptionView:
        """End one before its time; admins only."""
        from ds01.wire.lifecycle import ExemptionView

        return self._do(ExemptionView, "DELETE", f"/v1/exemptions/{escaped(exemption)}")

    # images ----------------------------------------------------------------------------------------

    def images(self, *, everybody: bool = False) -> tuple[ImageView, ...]:
        """My images."""
        from ds01.wire.images import ImageView

        return self._list(ImageView, "/v1/images", all=everybody)

    def image(self, reference: str) -> ImageView:
        """One image."""
        from ds01.wire.images import ImageView

        return self._get(ImageView, f"/v1/images/{escaped(reference, keep=b'/:')}")

    def build_settings(self, *, brief: bool = False) -> BuildSettings:
        """What every generated image gets from the server; ``brief`` without the certificates, which are large."""
        from ds01.wire.images import BuildSettings

        return self._get(BuildSettings, _SETTINGS, brief=brief)

    def build_settings_ahead(self) -> None:
        """Ask for the ``brief`` ones, for whoever reads them in a moment; who does not calls ``forget_ahead``."""
        self._ask_ahead(_SETTINGS, brief=True)

    def remove_image(self, reference: str) -> RemovedImage:
        """Remove an image; its recipe and every workspace stay."""
        from ds01.wire.images import RemovedImage

        return self._do(RemovedImage, "DELETE", f"/v1/images/{escaped(reference, keep=b'/:')}", patience=120)

    # for admins ------------------------------------------------------------------------------------

    def drain(self, slot: str, reason: str = "") -> DrainView:
        """Keep new work away from a GPU or a slot; what runs there goes on."""
        from ds01.wire.mig import DrainRequest, DrainView

        return self._do(DrainView, "POST", "/v1/admin/drain", DrainRequest(slot=slot, reason=reason))

    def undrain(self, slot: str) -> DrainView:
        """Let new work come again."""
        from ds01.wire.mig import DrainRequest, DrainView

        return self._do(DrainView, "POST", "/v1/admin/undrain", DrainRequest(slot=slot))

    def mig(self, plan: str = "") -> MigView:
        """How GPUs are divided, or what a plan would change."""
        from ds01.wire.mig import MigView

        return self._get(MigView, "/v1/admin/mig", plan=plan)

    def divide(self, plan: str) -> MigView:
        """Divide GPUs that nobody uses, as planned."""
        from ds01.wire.mig import MigRequest, MigView

        return self._do(MigView, "POST", "/v1/admin/mig", MigRequest(plan=plan), patience=120)

    def history(self, since: str = "") -> tuple[TraceJobView, ...]:
        """What everybody leased, as lines of a trace."""
        from ds01.wire.history import TraceJobView

        return self._list(TraceJobView, "/v1/admin/history", since=since)


def _went_well(event: LaunchEvent) -> LaunchEvent:
    if event.error is not None:
        raise error(event.error)
    return event


def _container(name: str) -> str:
    return f"/v1/containers/{escaped(name)}"
