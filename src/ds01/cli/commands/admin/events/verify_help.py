"""What ``ds01 admin events verify`` takes and says."""

from ds01.cli.command import Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Say whether every event is as DS01 wrote it",
    examples=(
        ("ds01 admin events verify", "the whole record"),
        ("ds01 admin events verify --json", "for programs: how many, and the first broken one"),
        ("ds01 admin events verify --quiet", "only what is wrong"),
        ("ds01 events --all --to events.jsonl", "the record as a file"),
        ("ds01 doctor", "a look at the latest events, among the rest"),
    ),
    about="Goes through all events from the first on, about a second for each 20,000, and names the first that was"
    " changed, put in or taken out around DS01. The exit code is 1 then. ds01 doctor looks at the latest events alone,"
    " ds01 admin backup at all of its copy.",
    idea="Every event carries a hash over itself and the hash before it, so an edit made around DS01 shows.",
    topics=("containers",),
    guide=(Step("Say whether every event is as DS01 wrote it."),),
    prints="AuditView",
    exits=(Exit.NOT_ALLOWED,),
    related=("events", "admin backup", "doctor"),
)
