"""What ``ds01 greet`` takes and says."""

from ds01.cli.command import Command, Step

COMMAND = Command(
    summary="Tell what happened to your containers since you were here",
    examples=(
        ("ds01 greet", "notices you have not seen yet; nothing when there are none"),
        ("ds01 greet --plain", "for a screen reader"),
        ("ds01 greet --json", "for programs"),
        ("ds01 greet --verbose", "also say when ds01d does not answer"),
        ("ds01 notices --all", "everything you were told"),
    ),
    about="Made for login scripts (/etc/profile.d): it is quick, prints nothing when there is nothing to say, and never"
    " fails a login. What it prints counts as told to you.",
    idea="Whoever was away when a container was warned or stopped hears of it first thing.",
    topics=("time", "containers"),
    guide=(Step("Greet tells what you have not been told yet. Login scripts call it for you."),),
    prints="list of NoticeView",
    related=("notices", "why", "undo"),
)
