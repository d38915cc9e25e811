"""What ``ds01 admin door report`` takes and says."""

from ds01.cli.command import Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Tell what the gateway would have refused while it only watched",
    options=(Option("--since", "WHEN", "only later than this: 10m, 2h, or 2026-01-31T10:00", reads="moment"),),
    examples=(
        ("ds01 admin door report", "all of it, rule by rule"),
        ("ds01 admin door report --since 24h", "the last day"),
        ("ds01 admin door report --json", "for programs"),
        ("ds01 admin door report --plain", "for a screen reader"),
        ("ds01 events --all --type door.observed", "request by request"),
    ),
    about="With docker.observe_until in the limits file the gateway lets everything through until that time and writes"
    " down what it would refuse. This is unsafe, and said so by ds01 status and ds01 doctor: it is for the weeks in"
    " which people move to DS01. Streams of files (build, load, import, cp) that are refused are refused as ever."
    " Behind a guard the engine starts only what DS01 granted, watched or not.",
    idea="Before a rule is in force one wants to know whom it meets. Watching real work says it better than a test.",
    topics=("containers",),
    guide=(Step("This shows which rules would have met somebody, the most frequent first."),),
    prints="DoorReportView",
    exits=(Exit.NOT_ALLOWED,),
    related=("admin limits check", "why-refused", "doctor"),
)
