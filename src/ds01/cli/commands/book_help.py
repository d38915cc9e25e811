"""What ``ds01 book`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Book GPUs for a time that you say beforehand",
    arguments=(Argument("gpus", "how many GPUs, or a kind like 1g.10gb", reads="gpus"),),
    options=(
        Option(
            "--from", "TIME", "when it begins: 'Tue 10:00', 'tomorrow 14:00', '2026-12-01 10:00', 'in 2h'", looks="when"
        ),
        Option("--for", "TIME", "how long: 2h, 90m", reads="seconds"),
        Option("--to", "TIME", "or until when: 12:00"),
        Option("--count", "N", "how many of a kind", reads="count", default="1"),
        Option("--mem", "SIZE", "at least so much memory on each", reads="size"),
        Option("--every", "WEEK", "again every week", choices=("week",)),
        Option("--until", "DATE", "the last date of a weekly booking"),
        Option("--for-group", "GROUP", "for everybody of a group of the server"),
        Option("--name", "NAME", "what you call it", reads="name", default="the day and the hour"),
        Option("--user", "LOGIN", "for this user; admins only"),
    ),
    examples=(
        ('ds01 book 1 --from "Tue 10:00" --for 2h', "one GPU, next Tuesday"),
        ('ds01 book 2 --from "tomorrow 14:00" --to 18:00', "two, for an afternoon"),
        ('ds01 book 1 --from "in 3h" --for 1h --dry-run', "whether it is possible"),
        ('ds01 book 1 --from "Mon 9:00" --for 1h --every week --until 2026-12-18', "every Monday"),
        ('ds01 book 1g.10gb --count 4 --from "Fri 13:00" --for 2h --for-group vision', "for a group"),
    ),
    about="Times are those of the clock on the server's wall, and weekly means the same hour every week, also when the"
    " clock is put forward or back. A booking is made only if it can be kept: beside all other bookings and whatever"
    " runs by then. What cannot be had is refused with the nearest time and the number that can. From the begin on,"
    " 'ds01 launch' uses it, past the queue and on top of what you may have otherwise; what you started ends with the"
    " booking, after a warning. Who books and does not come within a quarter of an hour has given it back. For whom,"
    " how much and how far ahead you may book is in 'ds01 limits'.",
    idea="A queue says when it is your turn; a booking says when it will be. It costs others before it begins, because"
    " nothing that would still run then is started on booked GPUs: book what you need, and cancel what you do not.",
    topics=("queue", "gpus"),
    guide=(
        Step("How many GPUs, or which kind? 'ds01 gpus' shows the kinds.", asks="gpus"),
        Step("When does it begin?", asks="--from"),
        Step("How long do you need them?", asks="--for"),
    ),
    prints="Booked",
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_ALLOWED, Exit.NOT_FOUND),
    related=("bookings list", "bookings cancel", "queue", "limits show", "class open"),
)
