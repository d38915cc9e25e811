"""What ``ds01 container attach`` takes and says."""

from ds01.cli.command import CONTAINER, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Open a shell in a running container",
    arguments=(CONTAINER,),
    examples=(
        ("ds01 attach thesis", "a shell in it"),
        ("ds01 attach", "in that of the project you are in"),
        ("ds01 launch thesis", "the same, and starts it when it is not running"),
        ("ds01 exec thesis -- nvidia-smi", "one command instead of a shell"),
        ("ds01 attach thesis --quiet", "without the greeting"),
    ),
    about="A new shell in the container, as you, in /workspace. 'exit' or Ctrl-D ends the shell; Ctrl-P Ctrl-Q leaves"
    " it running behind you. Neither stops the container, nor does a lost connection. You may have as many shells in it"
    " as you like. The exit code is the shell's.",
    idea="The container lives on its own; a shell is only a window into it. Closing the window changes nothing inside.",
    topics=("containers",),
    guide=(Step("Attach opens a shell in a running container. Leave it with 'exit'; it goes on.", asks="name"),),
    exits=(Exit.NOT_FOUND,),
    passes_code=True,
    related=("launch", "exec", "logs"),
)
