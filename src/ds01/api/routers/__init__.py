"""One router per noun."""

from ds01.api.routers import (
    admin,
    bookings,
    classes,
    containers,
    doctor,
    door,
    events,
    gpus,
    history,
    images,
    jobs,
    launches,
    lifecycle,
    limits,
    mig,
    queue,
    status,
    usage,
    why,
)

ALL = (
    status.router, containers.router, usage.router, lifecycle.router, why.router, launches.router, queue.router,
    jobs.router, bookings.router, classes.router, images.router, gpus.router, limits.router, events.router,
    doctor.router, door.router, mig.router, history.router, admin.router,
)  # fmt: skip
