"""What ``ds01 setup`` takes and says."""

from ds01.cli.command import Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Get ready on your first day: check, complete, first project",
    options=(
        Option("--project", "NAME", "make this project too", reads="name"),
        flag("--completion", "let your shell complete DS01's words"),
    ),
    examples=(
        ("ds01 setup", "check that all is ready for you"),
        ("ds01 setup --project thesis", "and make your first project"),
        ("ds01 setup --completion", "and have Tab complete"),
        ("ds01 setup --project thesis --completion --yes", "all of it, without questions"),
        ("ds01 setup --dry-run", "only look"),
    ),
    about="Checks that ds01d and the gateway answer you, that your home is where it should be and your workspace"
    " folder can be written, and says what you may use. On a terminal it offers to write the completion of your shell"
    " into its start file and to make a first project. It can be run again at any time: what is done already is left"
    " as it is.",
    idea="After it you know that everything works, and what to type next.",
    topics=("start",),
    guide=(
        Step(
            "First your first project. What should it be called? It becomes a folder in ~/workspace.", asks="--project"
        ),
        Step("Your shell can complete the words of ds01 when you press Tab.", asks="--completion"),
    ),
    asks=True,
    changes=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("init", "launch", "status", "help"),
)
