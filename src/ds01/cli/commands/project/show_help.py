"""What ``ds01 project show`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Show what a project is made of",
    arguments=(Argument("name", "the project", required=False, complete="project", default="the one you are in"),),
    examples=(
        ("ds01 project show thesis", "one project"),
        ("ds01 project show", "the one whose folder you are in"),
        ("ds01 project show thesis --json", "for programs"),
        ("ds01 project check thesis", "whether its file is right"),
        ("ds01 image show thesis", "its image"),
    ),
    about="Prints what the project file says, the state of the image that was built from it, and the containers that"
    " belong to it. Without ds01d the image and containers are left out.",
    idea="The project file is the record of the environment. What the image has and the file does not say, or the other"
    " way round, is called stale, and the next launch offers to build again.",
    topics=("projects", "images"),
    guide=(Step("Which project do you want to look at?", asks="name"),),
    prints="ProjectView",
    exits=(Exit.NOT_FOUND,),
    local=True,
    related=("project list", "image show", "launch"),
)
