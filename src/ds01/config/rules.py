"""The keys of the file that are no limits of a user: the rules of lifecycle and queue, in the same registry form."""

from __future__ import annotations

from ds01.domain.limit_keys import Key, Kind
from ds01.domain.queue.plan import Rules
from ds01.domain.settings import BookingRules, KeepRules, LifecycleRules

_BUILT_IN = LifecycleRules()
_IDLE = _BUILT_IN.idle
_QUEUE = Rules()

RULES: dict[str, Key] = {
    key.name: key
    for key in (
        Key(
            name="idle.gpu_below", kind=Kind.SHARE, default=_IDLE.gpu_below,
            meaning="a container is idle only while its GPUs are used less than this",
        ),
        Key(
            name="idle.cpu_below", kind=Kind.SHARE, default=_IDLE.cpu_below,
            meaning="and it uses less than this of its CPU cores",
        ),
        Key(
            name="idle.network_below", kind=Kind.SIZE, default=_IDLE.network_below_bytes,
            meaning="and it moves less than this over the network within the window",
        ),
        Key(
            name="idle.window", kind=Kind.DURATION, default=_IDLE.window, least=60,
            meaning="the time over which the three are looked at",
        ),
        Key(
            name="idle.start_grace", kind=Kind.DURATION, default=_IDLE.start_grace,
            meaning="time after a start in which nothing counts as idle",
        ),
        Key(
            name="busy.above", kind=Kind.SHARE, default=_BUILT_IN.busy.above,
            meaning="the server is busy when more than this share of its GPUs is leased",
        ),
        Key(
            name="busy.idle_times", kind=Kind.NUMBER, default=_BUILT_IN.busy.idle_times,
            meaning="on a busy server idle times are multiplied by this, never below the lead",
        ),
        Key(
            name="keep_alive.max", kind=Kind.DURATION, default=_BUILT_IN.keep_alive_max,
            meaning="the longest a user may keep a container from being stopped for idling, with one word",
        ),
        Key(
            name="extend.max", kind=Kind.DURATION, default=_BUILT_IN.extend_max,
            meaning="the most a user may add to the running time of one container",
        ),
        Key(
            name="never_started", kind=Kind.DURATION, default=_BUILT_IN.never_started, least=60,
            meaning="a container that was created and not started is removed after this time",
        ),
        Key(
            name="queue.claim", kind=Kind.DURATION, default=_QUEUE.claim, least=60,
            meaning="how long GPUs are kept for somebody whose turn it is before the next one gets them",
        ),
        Key(
            name="queue.fair", kind=Kind.NUMBER, default=_QUEUE.fair,
            meaning="how much it counts that somebody had less than her part lately; more is fairer between people,"
            " less is more like a line",
        ),
        Key(
            name="queue.age", kind=Kind.DURATION, default=_QUEUE.age, least=1,
            meaning="waiting counts in multiples of this and the planned time together; longer makes short requests"
            " wait as long ones do",
        ),
        Key(
            name="queue.guard", kind=Kind.NUMBER, default=_QUEUE.guard, nullable=True,
            meaning="who needs several GPUs at once has them collected once she waited this many times as long as that"
            " leaves them unused; less is a shorter wait for her and more unused GPUs, null is never",
        ),
        Key(
            name="bookings.unclaimed", kind=Kind.DURATION, default=_QUEUE.unclaimed, least=60,
            meaning="how long booked GPUs wait for somebody to come before they go back to everybody",
        ),
        Key(
            name="bookings.starts", kind=Kind.COUNT, default=BookingRules().starts, least=1,
            meaning="how many containers of one class start at the same time; the others wait for a few seconds",
        ),
        Key(
            name="bookings.sweep", kind=Kind.SWITCH, default=BookingRules().sweep,
            meaning="whether containers of a class are removed when it is over; workspaces always stay",
        ),
        Key(
            name="keep.jobs", kind=Kind.DURATION, default=KeepRules().jobs, nullable=True, least=86400,
            meaning="how long a job that has ended stays in 'ds01 runs'; its log, its events and what it used stay"
            " anyway, null is for ever",
        ),
        Key(
            name="keep.notices", kind=Kind.DURATION, default=KeepRules().notices, nullable=True, least=90 * 86400,
            meaning="how long a notice that is over stays in 'ds01 notices --all' and in the reports of its month; its"
            " event stays anyway, null is for ever",
        ),
    )
}  # fmt: skip
"""``policy`` in the limits file, by flat name below it."""
