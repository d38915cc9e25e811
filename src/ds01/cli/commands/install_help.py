"""What ``ds01 install`` takes and says."""

from ds01.cli.command import Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Put DS01 on this server, or bring an older one up to date (root)",
    options=(
        Option(
            "--observe",
            "DAYS",
            "only watch at first, for up to 14 days; 0 is in force at once",
            reads="number",
            default="3 where people use Docker here already, else 0",
        ),
        Option(
            "--outside",
            "WHAT",
            "containers that root makes beside DS01",
            choices=("passed", "refused"),
            default="passed where there are some, else refused",
        ),
    ),
    examples=(
        ("ds01 install --dry-run", "what it would change, file by file"),
        ("ds01 install", "show that, ask, do it, and look whether all is well"),
        ("ds01 install --observe 0 --yes", "in force at once, without a question"),
        ("ds01 install --outside refused", "later: nothing starts beside DS01 any more"),
        ("ds01 install --dry-run --json", "the plan, for programs"),
    ),
    about="Moves the engine's socket to where only root and the gateway get, gives the usual one to the gateway, puts"
    " ds01-runc behind the engine, and starts ds01d and the gateway by systemd. The engine is restarted once: running"
    " containers end then, unless it has live-restore; the plan names them. Your own keys in daemon.json stay. What was"
    " there before is written down, and 'ds01 uninstall' goes back to it; when a step fails the first time, that"
    " happens by itself. A second run changes only what is not as it should be; after an upgrade of the package that"
    " is DS01's own programs, never the engine.",
    idea="Friday: install, and the gateway only watches whom it would meet. Monday: read what it saw, and put it in"
    " force.",
    guide=(
        Step("First it says what it would change. Nothing happens until you say yes."),
        Step("For how many days shall the gateway only watch? 0: in force at once.", asks="--observe"),
    ),
    prints="InstallView",
    asks=True,
    changes=True,
    local=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("uninstall", "doctor", "admin door report", "admin limits check"),
)
