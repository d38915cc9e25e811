"""What ``ds01 help`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Read about an idea, or list every command",
    arguments=(
        Argument("topic", "a concept page, or 'commands'", required=False, complete="topic", default="list the topics"),
    ),
    examples=(
        ("ds01 help", "list the pages"),
        ("ds01 help start", "the first day"),
        ("ds01 help workspaces", "where files live"),
        ("ds01 help commands", "every command on one line"),
        ("ds01 help commands --json", "the same for programs"),
    ),
    about="Pages come with DS01 and need no network. 'commands' is special: it lists every command there is, and with"
    " --json it prints the whole registry that help, completion and the reference are made from.",
    idea="Help has four depths. --help reminds you how to type a command. --info says everything about it. --concepts"
    " explains the idea behind it. --guided does it with you. Pages of 'ds01 help' are about ideas, not commands.",
    topics=("start",),
    guide=(Step("Pick a page to read. 'start' is a good first one.", asks="topic"),),
    prints="list of Command",
    exits=(Exit.NOT_FOUND,),
    local=True,
    related=("status", "doctor"),
)
