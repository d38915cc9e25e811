"""What ``ds01 admin backup`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Copy the ledger to a file, while everything goes on",
    arguments=(
        Argument(
            "file", "the new file", required=False, complete="file", looks="place",
            default="a file with the time in its name, in /var/lib/ds01/backups",
        ),
    ),
    examples=(
        ("ds01 admin backup /root/ledger.bak", "into a file of root's, as root"),
        ("ds01 admin backup", "into /var/lib/ds01/backups"),
        ("ds01 admin backup before-friday", "there, under this name"),
        ("ds01 admin backup --json", "for programs: where it is"),
        ("ds01 admin backup --dry-run", "what would happen"),
    ),
    about="ds01d copies its ledger as it is at one moment; nobody waits meanwhile. The copy is looked through as a"
    " whole: every page, every reference, and the chain that shows whether somebody changed an event. Only then"
    " it gets its name; it belongs to root and nobody else may read it. Nothing is written over. Only root says"
    " where; the folder and those above it must be root's alone. How it is restored: docs/howto/run-it.md.",
    idea="The ledger knows who has what, who waits and what happened. A copy of the file alone, made while ds01d"
    " writes, may be of no moment at all.",
    guide=(Step("The copy is made while everything goes on. Into which file?", asks="file"),),
    prints="BackupView",
    changes=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("doctor", "events", "admin announce"),
)  # fmt: skip
