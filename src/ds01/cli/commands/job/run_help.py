"""What ``ds01 run`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Run a command to its end through the queue, whether you stay or log out",
    arguments=(Argument("command", "the command and its arguments, after --", rest=True),),
    options=(
        Option("--project", "NAME", "the project it runs in", complete="project", default="the one you are in"),
        Option(
            "--gpus", "N", "GPUs: a number, 0, or a part such as 2g.10gb", reads="gpus", default="the project's, else 1"
        ),
        Option("--time", "TIME", "the longest it may run; short ones may start sooner", reads="seconds",
               default="the project's, else your limit"),
        Option("--mem", "SIZE", "GPU memory each must have at least (20G)", reads="size"),
        Option("--name", "NAME", "what to call it", reads="name", default="the project's name with a number"),
        Option("--array", "INDEXES", "one task for each index: 0-9, 1,3,7, 0-99%4 (four at once)"),
        Option("--after", "NAME", "only after this job has succeeded; NAME:any, however it ends", many=True,
               complete="job"),
        Option("--env", "NAME=VALUE", "set a variable for it", short="-e", many=True, reads="variable"),
        Option("--image", "REF", "another image than the project's", complete="image"),
        Option("--data", "DIR", "mount a folder read-only below /data", many=True, complete="folder"),
        Option("--workspace", "DIR", "another folder as /workspace", complete="folder"),
        Option("--retries", "N", "try again so often when the server failed it, never the program", reads="number",
               default="2"),
        flag("--follow", "stay, show its log, exit with its code", short="-f"),
        flag("--wait", "stay silently, exit with its code"),
        flag("--no-build", "use the image there is, even if it is behind the project file"),
    ),
    examples=(
        ("ds01 run -- python train.py --epochs 90", "submit it and come back at once"),
        ("ds01 run --gpus 2 --time 8h -- torchrun train.py", "two GPUs, eight hours at most"),
        ("ds01 run --follow -- python train.py", "stay and watch its output"),
        ("ds01 run --name sweep --array 0-9%2 -- sh sweep.sh", "ten tasks, two at once"),
        ("ds01 run --after sweep -- python best.py", "only when all of it succeeded"),
    ),
    about="Submits the command and comes back at once: it is written down, and runs as soon as its turn comes, whether"
    " you stay, log out or ds01d restarts. It runs in a new container of the project's image as it is now, in the"
    " folder you typed it in, as you, with /workspace as always; the container goes when it ends, and its GPUs are"
    " free at once. Nothing is read from your terminal, and quotes are yours: what stands after -- is one command,"
    " not a line for a shell; for a pipe write sh -c '… | …'. What it prints goes to .ds01/jobs/NUMBER/log in the"
    " workspace, whole; 'ds01 logs NAME --follow' shows it. It knows itself by DS01_JOB (its name),"
    " DS01_JOB_FOLDER (a folder to write into), and in an array DS01_ARRAY_INDEX. When its time is over it gets"
    " SIGTERM, the grace of your limits, then SIGKILL. When the engine, the server or its GPU fails it is started"
    " again, at most --retries times, in its former place; its own failure is never repeated. --wait and --follow"
    " exit with the code of the command; 124 when its time was over, 137 out of memory, 130 when it was cancelled,"
    " else 1. Ctrl-C then only stops watching. With --dry-run and --json the plan is printed (JobPlan).",
    idea="A shell with a training in it holds its GPU while you sleep. A job gives it back the moment it is done, waits"
    " its turn without you, and tells you in the end what became of it.",
    topics=("jobs", "queue"),
    guide=(
        Step("A job is a command that runs to its end without you. In which project?", asks="--project"),
        Step("How many GPUs does it need? 1 is enough for most, 0 for none.", asks="--gpus"),
        Step("How long may it run at most? Say what you know: shorter ones come sooner.", asks="--time"),
        Step("The command, as you would type it in the container.", asks="command"),
    ),
    prints="JobsView",
    asks=True,
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    passes_code=True,
    related=("job list", "container logs", "cancel", "why", "queue", "container launch"),
)  # fmt: skip
