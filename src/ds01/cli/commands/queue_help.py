"""What ``ds01 queue`` takes and says."""

from ds01.cli.command import Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See what of yours waits for a GPU, and when its turn is",
    options=(flag("--all", "of everybody, with names; admins only"),),
    examples=(
        ("ds01 queue", "my places, and how many others wait"),
        ("ds01 queue --json", "for programs"),
        ("ds01 why thesis", "why it waits, and what would start now"),
        ("ds01 cancel thesis", "give a place up"),
        ("ds01 claim", "take your turn"),
    ),
    about="One line for each of your places: 'place' is how many are before you, 'likely' when it may start, as a range"
    " made from how wrong such guesses were lately, 'for' the longest it will run, and 'why' the one reason it waits."
    " Of other people there is only a number. Whose turn it is has GPUs kept for a while: 'ds01 claim' takes them.",
    idea="When GPUs are short, whoever had less lately goes first, and everybody goes first who waits long enough for"
    " the size of the request. Small and short ones slip in only where nobody who is next is delayed.",
    topics=("queue", "gpus"),
    guide=(Step("The list shows what of yours waits, in which place, and when its turn may come."),),
    prints="QueueView",
    exits=(Exit.NOT_ALLOWED,),
    related=("why", "claim", "cancel", "launch"),
)
