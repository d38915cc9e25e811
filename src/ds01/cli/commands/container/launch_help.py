"""What ``ds01 launch`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

NAME = Argument(
    "project", "the project, or one of your containers", required=False, complete="launch",
    default="the project you are in",
)  # fmt: skip
HAS = (
    Option(
        "--gpus", "N", "GPUs: a number, 0, or a part such as 2g.10gb", reads="gpus", default="the project's, else 1"
    ),
    Option("--mem", "SIZE", "GPU memory each must have at least (20G)", reads="size"),
    Option("--image", "REF", "another image than the project's", complete="image"),
    Option("--data", "DIR", "mount a folder read-only below /data", many=True, complete="folder"),
    Option("--workspace", "DIR", "another folder as /workspace", complete="folder"),
    Option("--name", "NAME", "what to call the container, to have several of one project", reads="name"),
)
"""What a new container has; the same for ``container create``."""

COMMAND = Command(
    summary="Get into a project's container: build, create or start it as needed",
    arguments=(NAME,),
    options=(
        *HAS,
        flag("--background", "do not step in; while waiting, the place stays", short="-b"),
        Option(
            "--wait",
            "TIME",
            "wait for a GPU when none is free, at most so long",
            reads="seconds",
            optional=True,
            default="asks on a terminal",
        ),
        flag("--no-wait", "do not wait for a GPU: exit with 3"),
        Option(
            "--time",
            "TIME",
            "the longest it will run; short ones may start sooner",
            reads="seconds",
            default="your limit",
        ),
        flag("--recreate", "replace the container by a new one from the latest image"),
        flag("--no-build", "use the image there is, even if it is behind the project file"),
    ),
    examples=(
        ("ds01 launch thesis", "get in, whatever it takes"),
        ("ds01 launch thesis --gpus 2 --background", "two GPUs, and come back at once"),
        ("ds01 launch thesis --name exp-2", "a second container of the same project"),
        ("ds01 launch thesis --wait=1h --time 2h", "wait an hour at most, for two hours"),
        ("ds01 launch thesis --dry-run", "what would happen"),
    ),
    about="One command for every situation. A running container is entered. A paused one goes on, a stopped one is"
    " started, with its GPU leased again. When there is none it is created from the project's image; the image is"
    " built first if it is missing, and, when you agree, if the project file has changed since. A container made from"
    " an older image is never replaced by itself: it says so, and --recreate does it, after showing what would be"
    " lost, as 'ds01 retire' does. Options for GPUs, image and mounts count when a container is created. /workspace is"
    " the project's folder, ~/workspace/NAME. Leave the shell with 'exit': the container goes on. Without a terminal,"
    " or with --json, it does not step in. When no GPU is free it asks whether to wait in the queue; --wait does not"
    " ask, --no-wait does not wait, and --yes is no answer to it: a script says --wait, or gets exit code 3."
    " With --time the queue knows that you will be done sooner, and lets you in where nobody is delayed."
    " Ctrl-C while waiting gives the place up; with --background it stays, and GPUs are kept for you"
    " for a while when it is your turn: 'ds01 claim'. With --dry-run and --json the plan is printed (LaunchPlan).",
    idea="You say where you want to be, not how to get there. Launching twice is the same as launching once.",
    topics=("containers", "images", "gpus"),
    guide=(
        Step(
            "Launch brings you into a project's container. Which project? 'ds01 init' makes a new one.", asks="project"
        ),
        Step("How many GPUs does it need? 1 is enough for most; 0 runs as long as you like.", asks="--gpus"),
        Step("You can step in at once, or leave it running in the background.", asks="--background"),
    ),
    prints="ContainerView",
    asks=True,
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    passes_code=True,
    related=("retire", "attach", "queue", "claim", "status"),
)
