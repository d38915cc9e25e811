"""What ``ds01 simulate`` takes and says."""

from ds01.cli.command import Command, Option, Step, flag

COMMAND = Command(
    summary="Replay a trace of jobs through the queue's rules",
    options=(
        Option("--trace", "FILE", "the trace; - is the standard input", complete="file", looks="present"),
        Option("--gpus", "N", "how many GPUs there are", reads="count"),
        Option(
            "--policy",
            "POLICY",
            "who goes first",
            choices=("fifo", "fifo-skip", "easy", "fairshare"),
            default="fairshare, what ds01d does",
        ),
        Option(
            "--estimates",
            "KIND",
            "what the queue knows of a run",
            choices=("exact", "user"),
            default="exact: how long it will be; user is what was asked for",
        ),
        Option("--limits", "FILE", "a limits file everybody is held to", complete="file", default="no limits"),
        Option("--bookings", "FILE", "GPUs kept for some users at some times", complete="file", default="none"),
        Option("--svg", "FILE", "write a picture of the schedule and of the waits", complete="file"),
        flag("--compare", "all four policies, side by side"),
    ),
    examples=(
        ("ds01 simulate --trace jobs.csv --gpus 8", "what would have happened here"),
        ("ds01 simulate --trace jobs.csv --gpus 8 --compare", "and with other policies"),
        ("ds01 simulate --trace jobs.csv --gpus 8 --limits new.yaml", "by a limits file that is not in force"),
        ("ds01 simulate --trace jobs.csv --gpus 8 --bookings class.csv --svg a.svg", "with bookings, and a picture"),
        ("ds01 simulate --trace jobs.csv --gpus 8 --json", "for programs"),
    ),
    about="A trace is a CSV file with the heading job_id,user,submit_s,duration_s,gpus and, if known, asked_s, idle_s"
    " and held_s: what of the duration was idle in the end, and only kept for a stopped container. By --limits both are"
    " as long as the file has it. Times are seconds; gpus below 1 is a part of one GPU, from 1 whole GPUs. Wrong lines"
    " are named, all at once. With --estimates user and no asked_s, people ask for the next round time from twice what"
    " they need. Jobs that no waiting would help are left out and counted. The figures are defined in"
    " docs/reference/scheduling.md. Bookings are a CSV file with the heading"
    " booking_id,users,begin_s,duration_s,gpus and, if wanted, keep_s (how long they wait for somebody to come; 15"
    " minutes) and weeks (on how many weeks it is; 1). users are names with spaces between them, times count from where"
    " those of the trace do, gpus are whole ones. What is booked is for any job of these users, ends with the booking,"
    " and was booked before the trace begins; bookings that cannot be had together are refused.",
    idea="The rules that share the GPUs are pure: they know no clock. So a month can be replayed in seconds, by the"
    " very code that decides in ds01d, before a change of the limits file is in force.",
    topics=("gpus",),
    guide=(
        Step("A trace says who asked for how many GPUs when, and how long it ran. Which file?", asks="--trace"),
        Step("On how many GPUs is it replayed?", asks="--gpus"),
    ),
    prints="list of SimulationView",
    local=True,
    related=("limits", "status", "gpus"),
)
