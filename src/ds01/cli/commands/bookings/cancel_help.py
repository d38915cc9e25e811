"""What ``ds01 bookings cancel`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Give up a booking, or one date of it",
    arguments=(Argument("name", "the booking", complete="booking"),),
    options=(
        Option("--date", "DATE", "only this date of a weekly booking", default="all that are to come"),
        Option("--user", "LOGIN", "of this user; admins only"),
    ),
    examples=(
        ("ds01 bookings cancel tue-10-00", "all its dates"),
        ("ds01 bookings cancel tue-10-00 --date 2026-12-08", "one of them"),
        ("ds01 bookings cancel tue-10-00 --dry-run", "which dates it would be"),
        ("ds01 bookings cancel tue-10-00 --user bob", "an admin does it for somebody"),
        ("ds01 bookings", "what is booked"),
    ),
    about="The GPUs can be booked and used by others at once, and the time counts no more against your week. What runs"
    " in a booking that has begun goes on to the end that the booking had.",
    idea="A booking that is not needed keeps others waiting before it even begins.",
    topics=("queue",),
    guide=(Step("Which booking do you want to give up? 'ds01 bookings' shows them.", asks="name"),),
    prints="Booked",
    changes=True,
    asks=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("bookings list", "book"),
)
