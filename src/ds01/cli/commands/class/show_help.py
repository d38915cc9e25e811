"""What ``ds01 class show`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See who of your class is in, who waits, and what went wrong for whom",
    arguments=(Argument("name", "the class", complete="class"),),
    options=(Option("--user", "LOGIN", "a class of this user; admins only"),),
    examples=(
        ("ds01 class show ml101", "everybody, those who are in first"),
        ("ds01 class show ml101 --plain", "one fact a line"),
        ("ds01 class show ml101 --json", "for programs"),
        ("ds01 class show ml101 --user prof", "for an admin"),
        ("ds01 class close ml101", "end it"),
    ),
    about="One line for everybody on the roster: 'in' has a GPU and works, 'starting' is on the way, 'stopped' has a"
    " container that stopped and a GPU that is kept for it, 'waiting' is in the queue, 'left' was in, 'absent' has not"
    " come. 'since' is how long ago that began, and the last column what DS01 refused somebody last. Above it stands"
    " what you should see to: an image that is gone, GPUs out of service.",
    idea="When somebody raises a hand, the instructor should know already what she was told.",
    topics=("teaching",),
    guide=(Step("Which class do you want to see? 'ds01 class list' shows yours.", asks="name"),),
    prints="ClassView",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("class list", "class close", "class open", "events"),
)
