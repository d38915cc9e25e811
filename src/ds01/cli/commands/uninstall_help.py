"""What ``ds01 uninstall`` takes and says."""

from ds01.cli.command import Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Take DS01 off this server: plain Docker again, everybody's files stay (root)",
    examples=(
        ("ds01 uninstall --dry-run", "what it would change, file by file"),
        ("ds01 uninstall", "show that, ask, do it"),
        ("ds01 uninstall --yes", "without a question"),
        ("ds01 uninstall --dry-run --json", "the plan, for programs"),
        ("ds01 install", "put it back: what the ledger knows is still there"),
    ),
    about="The plan names every container that runs now and what becomes of it. Every file is as it was before 'ds01"
    " install': daemon.json to the letter, unless you changed it since; then only what DS01 put in is taken out."
    " What else you changed is kept. /var/lib/ds01, workspaces, images, volumes and containers stay. The engine is"
    " restarted once. Containers that DS01 made do not start on plain Docker: what they were granted is nobody's"
    " to give there.",
    idea="Whoever can leave at any time, with nothing lost, can also try.",
    guide=(Step("First it says what it would change. Nothing happens until you say yes."),),
    prints="InstallView",
    asks=True,
    changes=True,
    local=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("install", "doctor"),
)
