"""What ``ds01 class open`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Open a class: seats for everybody on a roster",
    arguments=(Argument("name", "what the class is called; its people type it", reads="name"),),
    options=(
        Option(
            "--roster", "FILE", "who comes: a CSV file with a login on every line", complete="file", looks="present"
        ),
        Option("--seats", "N", "how many seats", reads="count", default="one for everybody on the roster"),
        Option("--gpus", "N|PROFILE", "what one seat is", reads="gpus", default="1"),
        Option("--mem", "SIZE", "at least so much GPU memory for each seat", reads="size"),
        Option("--from", "TIME", "when it begins: 'Tue 10:00', '2026-12-01 10:00', 'in 2h'", looks="when"),
        Option("--for", "TIME", "how long: 2h, 90m", reads="seconds"),
        Option("--to", "TIME", "or until when: 12:00"),
        Option("--every", "WEEK", "again every week", choices=("week",)),
        Option("--until", "DATE", "the last date of a weekly class"),
        Option("--image", "IMAGE", "the image of all", complete="image", default="that of your project of this name"),
        Option(
            "--keep", "TIME", "how long seats wait for their people", reads="seconds", default="as ds01 limits says"
        ),
    ),
    examples=(
        ('ds01 class open ml101 --roster r.csv --from "Tue 10:00" --for 2h', "a seat for each"),
        ('ds01 class open ml101 --roster r.csv --gpus 1g.10gb --from "in 1h" --for 2h', "parts of GPUs"),
        ('ds01 class open ml101 --roster r.csv --from "Tue 10:00" --for 2h --dry-run', "whether it is possible"),
        ("ds01 class open lab --roster r.csv --from 9:00 --for 1h --every week --until 2026-12-18", "weekly"),
        ("ds01 class show ml101", "who is in"),
    ),
    about="The roster is text: one login a line, or a CSV file in which a first line names the column 'login'; other"
    " columns, empty lines and lines that begin with # count for nothing. Every mistake is told with its line, and"
    " people the server does not know by name; nothing is booked then. The image must be on the server: build it with"
    " 'ds01 image create' in a project of the class's name. Everybody on the roster may use it. From the begin on each"
    " of them types 'ds01 launch NAME' and has a seat at once, past the queue and on top of what she may have"
    " otherwise; a few start at the same time, the others seconds later. Seats nobody came for go back after a while."
    " At the end everybody is warned, then what is left is stopped and removed; workspaces stay.",
    idea="Thirty people who come at ten cannot be served by a queue. Seats are kept for them, one each.",
    topics=("teaching", "queue"),
    guide=(
        Step("What is the class called? Its people type it: ds01 launch NAME.", asks="name"),
        Step("Which file has the logins of those who come, one a line?", asks="--roster"),
        Step(
            "What is one seat? A number of GPUs, or a part of one like 1g.10gb; 'ds01 gpus' shows them.", asks="--gpus"
        ),
        Step("When does it begin?", asks="--from"),
        Step("How long does it take?", asks="--for"),
    ),
    prints="ClassOpened",
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_ALLOWED, Exit.NOT_FOUND),
    related=("class show", "class close", "class list", "book", "image create"),
)
