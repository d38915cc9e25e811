"""What ``ds01 cancel`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Give up waiting for a GPU",
    arguments=(Argument("name", "what waits", complete="waiting"),),
    options=(Option("--user", "LOGIN", "of this user; admins only"),),
    examples=(
        ("ds01 cancel thesis", "give its place up"),
        ("ds01 cancel thesis --dry-run", "what would happen"),
        ("ds01 cancel thesis --user bob", "an admin ends somebody's wait"),
        ("ds01 queue", "what waits"),
        ("ds01 launch thesis --wait", "wait anew, from the end"),
    ),
    about="The place is gone at once, and GPUs that were kept for it go to the next one. Who waits anew begins at the"
    " end. A running container is no matter of this: 'ds01 stop' and 'ds01 retire' end those.",
    idea="A place you do not need any more keeps others waiting for nothing.",
    topics=("queue",),
    guide=(Step("A place in the queue can be given up at any time. Which one?", asks="name"),),
    prints="PlaceView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("queue", "claim", "launch"),
)
