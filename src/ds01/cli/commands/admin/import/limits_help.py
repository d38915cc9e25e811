"""What ``ds01 admin import limits`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag

COMMAND = Command(
    summary="Convert an older limits file into one DS01 reads",
    arguments=(Argument("old", "the older file", complete="file", looks="present"),),
    options=(
        Option(
            "--to",
            "FILE",
            "where the new file goes",
            complete="file",
            looks="place",
            default="limits.yaml in this folder",
        ),
        flag("--replace", "also when that file is there already"),
    ),
    examples=(
        ("ds01 admin import limits resource-limits.yaml", "convert it"),
        ("ds01 admin import limits old.yaml --to new.yaml", "under another name"),
        ("ds01 admin import limits old.yaml --replace", "again"),
        ("ds01 admin import limits old.yaml --json", "for programs"),
        ("ds01 admin limits check limits.yaml", "check what came out"),
    ),
    about="Writes the new file and lists every key of the old one: mapped (to what), dropped (why), or unreadable."
    " Groups kept in files called GROUP.members beside the old file are taken over too. The new file is checked before"
    " it is written; nothing of the old one is changed.",
    idea="Nothing is guessed silently. What could not be taken over is named, so that somebody can decide.",
    topics=("limits",),
    guide=(
        Step("The older file is only read. Which one is it?", asks="old"),
        Step("The new file is written where you say.", asks="--to"),
    ),
    prints="ImportView",
    local=True,
    related=("admin limits check", "limits"),
)
