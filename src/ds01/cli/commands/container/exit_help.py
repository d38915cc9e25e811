"""What ``ds01 container exit`` takes and says."""

from ds01.cli.command import CONTAINER, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Say how to leave a container, and what happens then",
    arguments=(CONTAINER,),
    examples=(
        ("ds01 container exit", "how to leave"),
        ("ds01 container exit thesis", "how that one is doing, too"),
        ("ds01 stop thesis", "to end its programs and keep it"),
        ("ds01 retire thesis", "to end it and free its GPU"),
        ("ds01 attach thesis", "to come back in"),
    ),
    about="Nothing is changed. A shell is left from inside, with 'exit' or Ctrl-D; the container goes on. This command"
    " says so, and says what the container keeps meanwhile.",
    idea="Leaving, stopping and retiring are three things. Leaving changes nothing inside. Stopping ends the programs"
    " and keeps the container. Retiring ends the container and frees its GPU.",
    topics=("containers",),
    guide=(Step("You leave a container from inside, with 'exit' or Ctrl-D. Which one do you mean?", asks="name"),),
    exits=(Exit.NOT_FOUND,),
    related=("attach", "stop", "retire"),
)
