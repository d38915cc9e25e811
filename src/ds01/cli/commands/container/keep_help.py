"""What ``ds01 container keep`` takes and says."""

from ds01.cli.command import CONTAINER, REASON, USER, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Keep a container from being stopped for idling, for a while",
    arguments=(CONTAINER,),
    options=(
        Option("--for", "TIME", "how long (2h, 30m)", reads="seconds"),
        Option("--until", "TIME", "until when: 18:00, or 2026-12-20T18:00", reads="later"),
        USER,
        REASON,
    ),
    examples=(
        ("ds01 keep thesis --for 2h", "over a meeting"),
        ("ds01 keep thesis --until 18:00", "until six today, or tomorrow if that is past"),
        ("ds01 keep --for 30m", "that of the project you are in"),
        ("ds01 keep thesis --for 2h --dry-run", "what would happen"),
        ("ds01 keep thesis --for 2h --json", "for programs"),
    ),
    about="A container with a GPU that does nothing is stopped after the idle time of your limits. This puts that off."
    " The longest one word holds is the server's policy. From inside the container the same is: touch"
    " /workspace/.keep-alive. The time it may run in all goes on; for that there is ds01 extend.",
    idea="A GPU that nobody uses is a GPU somebody waits for. But a model may stay loaded while you think, eat or"
    " discuss: say so, and it is left alone that long.",
    topics=("time", "containers"),
    guide=(
        Step("An idle container is stopped after a while. Which one is to be left alone?", asks="name"),
        Step("For how long? It should be as short as it can be: somebody may wait for the GPU.", asks="--for"),
    ),
    prints="KeepView",
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("extend", "undo", "why", "limits"),
)
