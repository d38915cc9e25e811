"""What ``ds01 container exec`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Run a command in a running container",
    arguments=(
        Argument("name", "the container", complete="container"),
        Argument(
            "command",
            "the command and its arguments",
            rest=True,
            lacking=(
                "Which command is to run in {}?",
                "For example: ds01 exec {} -- nvidia-smi",
                "A shell: ds01 attach {}",
            ),
        ),
    ),
    options=(
        Option("--env", "NAME=VALUE", "set a variable for it", short="-e", many=True, reads="variable"),
        Option("--workdir", "DIR", "the folder it runs in", short="-w", default="/workspace"),
        flag("--no-tty", "connect pipes even on a terminal", short="-T"),
        flag("--detach", "start it and come back at once", short="-d"),
    ),
    examples=(
        ("ds01 exec thesis nvidia-smi", "one command"),
        ("ds01 exec thesis -- python train.py --epochs 3", "with options of its own"),
        ("ds01 exec -e SEED=1 thesis python train.py", "with a variable"),
        ("ds01 exec -d thesis -- python train.py", "in the background"),
        ("ds01 exec -T thesis cat results.csv > results.csv", "its output into a file here"),
    ),
    about="Runs as you, in /workspace. Options of ds01 come before the container's name; everything after it belongs to"
    " the command. On a terminal the command gets one; otherwise input, output and errors are three pipes, binary safe,"
    " and the end of the input reaches the command. The exit code is the command's. Ctrl-P Ctrl-Q leaves it running.",
    idea="Whatever you can do in a shell in the container you can do from outside with exec: in scripts, in pipes.",
    topics=("containers",),
    guide=(
        Step("Exec runs one command in a container that is running. Which container?", asks="name"),
        Step("What to run, for example: python train.py", asks="command"),
    ),
    exits=(Exit.NOT_FOUND,),
    passes_code=True,
    related=("attach", "cp", "logs"),
)
