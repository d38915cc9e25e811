"""What ``ds01 status`` takes and says."""

from ds01.cli.command import Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See what you use, what you may use and what is free",
    options=(Option("--user", "LOGIN", "somebody else's, for admins"),),
    examples=(
        ("ds01 status", "everything on one screen"),
        ("ds01 status --json", "for programs"),
        ("ds01 status --plain", "one fact a line, for a screen reader"),
        ("ds01 status --user anna", "as an admin: anna's"),
        ("ds01 status --quiet", "without the hints"),
    ),
    about="One screen: who you are here, what you use of each of your limits, which GPUs of the server are free, your"
    " containers, and what DS01 wants you to know. If the GPUs are simulated it says so.",
    idea="The server is shared. Everybody has limits on how much they may hold at once, and GPUs are leased to one"
    " container at a time. Status answers, before you start: is there room for me, and what do I hold already?",
    topics=("limits", "gpus"),
    guide=(Step("Status shows your side of the server on one screen: usage, limits, free GPUs, your containers."),),
    prints="StatusView",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("list", "gpus", "limits", "doctor"),
)
