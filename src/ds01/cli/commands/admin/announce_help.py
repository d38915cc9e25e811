"""What ``ds01 admin announce`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Tell everybody something until a time",
    arguments=(
        Argument("text", "one line, in quotes", reads="line", required=False, default="show what is announced now"),
    ),
    options=(
        Option("--until", "TIME", "when it ends by itself: 3d, or 2026-12-20T18:00", reads="later", default="7d"),
        flag("--clear", "take it back before its time"),
    ),
    examples=(
        ("ds01 admin announce 'new driver on Friday from 18:00' --until 3d", "tell everybody"),
        ("ds01 admin announce", "what is announced now"),
        ("ds01 admin announce --clear", "take it back"),
        ("ds01 admin announce 'back at noon' --dry-run", "what would happen"),
        ("ds01 admin drain all --reason 'new driver'", "let nobody new begin before it"),
    ),
    about="Whoever types a ds01 command or logs in reads it until its time is over. Whoever has something on this"
    " server (a container, a job, a booking, a place in the queue) is told at once as well, by every channel she"
    " has: her terminals, her containers, mail, webhook. One stands at a time: another text takes its place.",
    idea="A server that goes down unannounced loses somebody's night. One line, told everywhere, that ends by itself.",
    topics=("gpus",),
    guide=(
        Step("What should everybody know? One line.", asks="text"),
        Step("Until when? It ends by itself then.", asks="--until"),
    ),
    prints="AnnouncementView",
    changes=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("admin drain", "notices", "admin undrain"),
)
