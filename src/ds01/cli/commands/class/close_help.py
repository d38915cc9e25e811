"""What ``ds01 class close`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="End a class now: its containers are retired, workspaces stay",
    arguments=(Argument("name", "the class", complete="class"),),
    options=(
        flag("--all-dates", "also give up all dates that are to come"),
        Option("--user", "LOGIN", "a class of this user; admins only"),
    ),
    examples=(
        ("ds01 class close ml101", "end it now"),
        ("ds01 class close ml101 --all-dates", "and the weeks to come"),
        ("ds01 class close ml101 --dry-run", "what would go"),
        ("ds01 class close ml101 --yes", "without a question"),
        ("ds01 class show ml101", "who is still in"),
    ),
    about="While a class is on, this ends that date: containers on its seats are stopped with their usual grace and"
    " removed, packages added by hand are noted for their owners, and the GPUs are free. Before it has begun, all its"
    " dates are given up. At its end a class closes by itself: everybody is warned before.",
    idea="A class that ends early gives its GPUs to everybody who waits.",
    topics=("teaching",),
    guide=(Step("Which class do you want to close? 'ds01 class list' shows yours.", asks="name"),),
    prints="ClassClosed",
    changes=True,
    asks=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("class show", "class list", "bookings cancel"),
)
