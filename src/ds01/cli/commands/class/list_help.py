"""What ``ds01 class list`` takes and says."""

from ds01.cli.command import Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See the classes you opened, and those you are in",
    options=(flag("--all", "everybody's; admins only"),),
    examples=(
        ("ds01 class list", "mine, and those I am in"),
        ("ds01 class list --json", "for programs"),
        ("ds01 class list --all", "everybody's, for admins"),
        ("ds01 class show ml101", "who is in"),
        ("ds01 launch ml101", "take my seat"),
    ),
    about="One line for each class: its next date, or the one that is on with how many are in; how many dates are to"
    " come and how many people are on the roster.",
    idea="A class keeps a seat for everybody on its roster. Whoever is on it types 'ds01 launch NAME' when it begins.",
    topics=("teaching",),
    guide=(Step("The list shows the classes you opened and those you are in."),),
    prints="list of ClassView",
    exits=(Exit.NOT_ALLOWED,),
    related=("class open", "class show", "bookings list"),
)
