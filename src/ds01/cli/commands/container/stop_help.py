"""What ``ds01 container stop`` takes and says."""

from ds01.cli.command import CONTAINER, REASON, USER, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Stop a container and keep it for a while",
    arguments=(CONTAINER,),
    options=(
        Option(
            "--grace", "TIME", "how long its programs may take to end (30s, 5m)", reads="seconds", default="your limit"
        ),
        flag("--force", "end its programs at once"),
        USER,
        REASON,
    ),
    examples=(
        ("ds01 stop thesis", "let its programs end, then stop it"),
        ("ds01 stop thesis --grace 5m", "give them five minutes"),
        ("ds01 stop thesis --user bob --reason 'GPU 2 is mended'", "an admin stops his"),
        ("ds01 stop thesis --dry-run", "what would happen"),
        ("ds01 stop thesis --json", "for programs"),
    ),
    about="Every program in the container is asked to end (SIGTERM), gets the grace time to save what it has, and is"
    " then ended (SIGKILL). The container stays for the container hold time of your limits and keeps its GPU for the"
    " shorter GPU hold time; the answer says until when. One that Docker removes with its end is gone. --force is the"
    " same as a grace time of nothing.",
    idea="Stop is for a break: the container, with everything in it, waits for you. Retire is for being done: it frees"
    " the GPU for others at once. Files in the workspace are safe either way.",
    topics=("containers",),
    guide=(
        Step("Stop ends the programs of a container and keeps the rest. Which container?", asks="name"),
        Step("Programs get time to save their work. The default suits most.", asks="--grace"),
    ),
    prints="ContainerView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("retire", "start", "pause"),
)
