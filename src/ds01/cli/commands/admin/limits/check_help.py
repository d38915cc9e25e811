"""What ``ds01 admin limits check`` takes and says."""

from ds01.cli.command import Argument, Command, Step

COMMAND = Command(
    summary="Check a limits file without putting it in force",
    arguments=(
        Argument("file", "the file", required=False, complete="file", looks="present", default="/etc/ds01/limits.yaml"),
    ),
    examples=(
        ("ds01 admin limits check", "the one in force"),
        ("ds01 admin limits check new.yaml", "another"),
        ("ds01 admin limits check new.yaml --json", "for programs"),
        ("ds01 admin limits check new.yaml --quiet", "only what is wrong"),
        ("ds01 limits", "what is in force for you"),
    ),
    about="Reads the file as ds01d would and names every mistake at once, each with its line and column, and the"
    " nearest key that exists. It needs no ds01d, and the exit code is 2 when there is a mistake. Whether the machine"
    " has what the file promises, ds01 doctor says.",
    idea="Everything a limits file can say is checked before any of it counts: there is no half a policy.",
    topics=("limits",),
    guide=(Step("Which file? It is read, nothing is changed.", asks="file"),),
    prints="LimitsFileView",
    local=True,
    related=("limits", "admin import limits", "doctor"),
)
