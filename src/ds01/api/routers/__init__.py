"""One router per noun."""

from ds01.api.routers import containers, door, gpus, images, launches, limits, status

ALL = (status.router, containers.router, launches.router, images.router, gpus.router, limits.router, door.router)
