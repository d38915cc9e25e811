"""What ``ds01 why-refused`` takes and says."""

from ds01.cli.command import Command, Option, Step

COMMAND = Command(
    summary="Tell which request through plain Docker was refused, by which rule, and what works instead",
    options=(Option("--limit", "N", "the latest so many", short="-n", reads="count", default="1"),),
    examples=(
        ("ds01 why-refused", "the last refusal"),
        ("ds01 why-refused -n 5", "the last five"),
        ("ds01 why-refused --json", "for programs"),
        ("ds01 why-refused --plain", "for a screen reader"),
        ("ds01 events --type door.denied", "all of them, as they happened"),
    ),
    about="A docker command, an editor or an SDK may hide why the server said no. Here is what was asked for, the name"
    " of the rule, what it forbids and the way that works. Requests for what is not there (own.absent) are told only"
    " where no rule refused anything, mere looks for it not at all. Every rule is in docs/reference/docker-policy.md.",
    idea="Docker's own socket makes whoever reaches it root of the server. DS01 stands in front of it and lets through"
    " what touches only your own things; what it refuses it says in a sentence, and it keeps the sentence.",
    topics=("containers",),
    guide=(Step("This shows the last thing DS01 refused you, and what to do instead."),),
    prints="a list of EventView",
    related=("events", "why"),
)
