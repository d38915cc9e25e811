"""What ``ds01 bookings`` takes and says."""

from ds01.cli.command import Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See what is booked for you",
    options=(
        flag("--all", "everybody's, with names; admins only"),
        flag("--over", "also those of this week that ended"),
        flag("--ical", "as a calendar file (iCalendar), for the calendar on your laptop"),
        Option("--user", "LOGIN", "of this user; admins only"),
    ),
    examples=(
        ("ds01 bookings", "mine, and those I may use"),
        ("ds01 bookings --over", "also what ended this week"),
        ("ds01 bookings --ical > gpus.ics", "for a calendar"),
        ("ds01 bookings --all", "everybody's, for admins"),
        ("ds01 bookings --json", "every date, for programs"),
    ),
    about="One line for each booking: its next date, and until when it comes again every week. 'on' has begun, with"
    " how many of its GPUs are in use; 'released' one that nobody came for. Times are those of the server's clock.",
    idea="A booking keeps GPUs for you from its begin, for a while: who does not come gives them back to everybody.",
    topics=("queue",),
    guide=(Step("The list shows what is booked for you, and how much of this week's allowance that is."),),
    prints="BookingsView",
    exits=(Exit.NOT_ALLOWED, Exit.NOT_FOUND),
    related=("book", "bookings cancel", "class list", "queue"),
)
