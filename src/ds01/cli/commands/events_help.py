"""What ``ds01 events`` takes and says."""

from ds01.cli.command import Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See what happened, and what happens",
    options=(
        flag("--follow", "stay and show what comes", short="-f"),
        Option("--since", "WHEN", "only later than this: 10m, 2h, or 2026-01-31T10:00", reads="moment"),
        Option("--type", "TYPE", "only of this type, for example container.stopped", complete="event"),
        Option("--limit", "N", "the latest so many", short="-n", reads="count", default="100"),
        Option("--user", "LOGIN", "somebody else's, for admins"),
        flag("--all", "everybody's, for admins", short="-a"),
        Option("--to", "FILE", "write all there are into a new file", complete="file"),
    ),
    examples=(
        ("ds01 events", "the latest"),
        ("ds01 events --since 1h", "those of the last hour"),
        ("ds01 events --type container.stopped", "only stops"),
        ("ds01 events --follow --json", "a line of JSON each, for programs"),
        ("ds01 events --all --to events.jsonl", "the whole record as a file"),
    ),
    about="Events say what happened to your containers, images and GPUs, oldest first: who did it, to what, and how it"
    " ended. With --json every event is one line of JSON (JSON lines), also without --follow. --to writes all of them"
    " into a new file that way, for yourself alone; it is there only when it is whole, and nothing is written over."
    " Users see their own.",
    idea="DS01 records outcomes, not intents: an event is written in the same moment as the thing it tells of, and is"
    " never changed. 'ds01 why' tells the story of one container from them.",
    topics=("containers",),
    guide=(
        Step("Events are the record of what happened. You can look at the last hour, for example: 1h.", asks="--since"),
        Step("Or stay and watch what comes.", asks="--follow"),
    ),
    prints="lines of EventView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("why", "list", "admin events verify"),
)
