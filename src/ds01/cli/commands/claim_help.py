"""What ``ds01 claim`` takes and says."""

from ds01.cli.command import Argument, Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Take your turn: launch what waited, with the GPUs kept for it",
    arguments=(
        Argument("name", "what waited", required=False, complete="waiting", default="the one whose turn it is"),
    ),
    options=(flag("--background", "do not step in", short="-b"),),
    examples=(
        ("ds01 claim", "the one whose turn it is"),
        ("ds01 claim thesis", "a certain one"),
        ("ds01 claim thesis --background", "and come back at once"),
        ("ds01 queue", "what waits, and how long GPUs are kept"),
        ("ds01 cancel thesis", "let the next one have them"),
    ),
    about="When your turn comes and nobody sits at a waiting 'ds01 launch', GPUs are kept for you for ten minutes, or"
    " what your server says. Claim launches what you asked for, as you asked for it. What nobody claims in time goes to"
    " the next one, and its place is gone.",
    idea="A GPU that is kept for somebody who is away helps nobody, so it is kept for a while only.",
    topics=("queue",),
    guide=(Step("GPUs are kept for a while for whoever's turn it is. Name what waited.", asks="name"),),
    prints="ContainerView",
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    passes_code=True,
    related=("queue", "launch", "cancel"),
)
