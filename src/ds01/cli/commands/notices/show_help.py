"""What ``ds01 notices show`` takes and says."""

from ds01.cli.command import Command, Step, flag

COMMAND = Command(
    summary="Show what DS01 told you by itself",
    options=(flag("--all", "also what holds no more, the latest hundred"),),
    examples=(
        ("ds01 notices", "what is about to happen to your containers"),
        ("ds01 notices --all", "everything you were told lately, and how it reached you"),
        ("ds01 notices --json", "for programs"),
        ("ds01 notices set --mail me@example.org", "be told by mail, too"),
        ("ds01 why thesis", "the whole story of one container"),
    ),
    about="Every notice says what happens to which container, when, why, and what to type to prevent it; below it is"
    " how it reached you. A warning that holds no more, because you used the container again, is only shown with"
    " --all.",
    idea="Nothing that DS01 does by itself is done unwarned. The warning comes one lead before (a limit of yours),"
    " and again five minutes before; if it reached nobody, the stop waits.",
    topics=("time", "containers"),
    guide=(Step("Notices tell what will happen to your containers by itself, and how to prevent it."),),
    prints="list of NoticeView",
    related=("notices set", "keep", "extend", "why"),
)
