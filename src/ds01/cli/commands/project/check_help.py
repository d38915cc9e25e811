"""What ``ds01 project check`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Check whether a project file is right",
    arguments=(
        Argument("name", "the project", required=False, complete="project", default="the one you are in, else all"),
    ),
    examples=(
        ("ds01 project check thesis", "one project"),
        ("ds01 project check", "the one you are in, or all of them"),
        ("ds01 project check --json", "for programs"),
        ("ds01 project show thesis", "what its file says"),
        ("ds01 image create thesis", "build what it says"),
    ),
    about="Reads the project file and the requirements files it names, and says of every mistake where it is (file,"
    " line, column) and what was expected there. The base is looked up in this server's catalogue when ds01d answers."
    " Where the Dockerfile is your own, it says what the project file lists for nothing. Nothing is built and"
    " nothing is changed. The exit code is 2 when there is a mistake.",
    idea="A misspelt key that is silently ignored is an experiment run with the wrong setting, so an unknown key is a"
    " mistake. Packages and versions are checked for their form here; whether they exist is known when they are built.",
    topics=("projects",),
    guide=(Step("Which project file do you want to check?", asks="name"),),
    prints="list of ProjectView",
    exits=(Exit.NOT_FOUND,),
    local=True,
    related=("project show", "image create", "init"),
)
