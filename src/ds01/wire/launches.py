"""Launching on the wire: a plan, then a stream of steps whose last line is the result."""

from __future__ import annotations

from ds01.domain.record import made, record
from ds01.wire.containers import ContainerView
from ds01.wire.errors import ErrorView
from ds01.wire.queue import PlaceView


@record
class TerminalAsk:
    """The slave of a pseudo terminal of the caller's (``/dev/pts/N``): a container that starts begins with a shell on
    it, if the server can do that. ``environment`` are its variables, ``simulated`` more of them where the container has
    GPUs and those are simulated. Without one the caller goes in by an exec.
    """

    path: str
    environment: dict[str, str] = made(factory=dict)
    simulated: dict[str, str] = made(factory=dict)


@record
class LaunchRequest:
    """What the command line resolved from the project file and its flags.

    ``image`` is a reference, ``""`` for the project's own image; ``spec`` is the hash of the project's recipe and
    ``base`` the image id its base has now (both ``""`` with a foreign image). ``gpus`` is what ``--gpus`` takes,
    None for the default (1 if the user may); ``memory_bytes`` is the least GPU memory of each.
    """

    project: str
    workspace: str
    name: str = ""
    image: str = ""
    spec: str = ""
    base: str = ""
    gpus: str | None = None
    memory_bytes: int = 0
    data: tuple[str, ...] = ()
    environment: dict[str, str] = made(factory=dict)
    recreate: bool = False
    on_stop: str = ""
    create_only: bool = False
    """``container create``: stop after creating."""
    time_seconds: int | None = None
    """The longest it will run, for the queue to plan with; None is the caller's limit."""
    wait: bool = False
    """Wait in the queue when there is no GPU; without it that is an error (``gpu.full``)."""
    wait_seconds: int | None = None
    """Wait no longer than this."""
    stays: bool = False
    """The place in the queue stays when the client hangs up, to be claimed later."""
    terminal: TerminalAsk | None = None
    if_new: bool = False
    """Only make a container that is not there yet, from an image that is there and current. Where there is more to it,
    nothing is done, and the last line has a ``plan``.
    """


@record
class LaunchPlan:
    """What a launch would do now.

    ``action`` is attach (running), unpause, start, create or recreate. ``build`` is why the image must be built
    first, ``""`` when it need not be; ``missing`` that there is none. ``stale`` is why an existing container is behind
    its image.
    """

    action: str
    name: str
    image: str
    build: str = ""
    missing: bool = False
    stale: str = ""
    gpus: str = "0"
    container: ContainerView | None = None
    steps: tuple[str, ...] = ()


@record
class LaunchEvent:
    """One line of the stream. ``step`` names what goes on (lease, create, start, …), ``state`` is begin or done; the
    last line has ``container``, ``plan`` or ``error``. While it waits for a GPU, ``step`` is ``queue`` and ``place``
    says where and why. ``simulated``: the container has GPUs, and they are simulated.
    """

    step: str
    state: str = "done"
    text: str = ""
    seconds: float = 0.0
    container: ContainerView | None = None
    simulated: bool = False
    plan: LaunchPlan | None = None
    error: ErrorView | None = None
    place: PlaceView | None = None
