"""What ``ds01 admin image prefetch`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Fetch the bases that projects build on",
    arguments=(
        Argument("names", "bases of the catalogue", required=False, many=True, complete="base",
                 default="all that are not here"),
    ),
    options=(
        flag("--again", "those that are here too: fetches what their registries have now"),
        Option("--engine", "SOCKET", "root only: the engine's own socket", default="where 'ds01 install' put it"),
    ),
    examples=(
        ("ds01 admin image prefetch", "all bases that are not here yet, after a question"),
        ("ds01 admin image prefetch pytorch", "this one"),
        ("ds01 admin image prefetch --yes", "without the question, from cron at night for one"),
        ("ds01 admin image prefetch --dry-run", "what would be fetched, and how large it is"),
        ("ds01 admin image prefetch pytorch --again", "today's; images built on the former fall behind"),
    ),
    about="Fetches the images of images.bases in the limits file, so that the first student who builds on one does not"
    " wait for gigabytes. An admin fetches through the gateway, root from the engine itself. One that cannot be"
    " fetched is told and keeps no other from it. A base with a digest in the limits file is fetched by it and never"
    " moves. Where no base is named it says what it would fetch and how large that is, and asks.",
    idea="Bases are large and shared: fetched once, everybody's images stand on them. When a base moves, the images"
    " built on it are told to be behind; nothing is rebuilt by itself.",
    topics=("images",),
    guide=(
        Step("Bases are fetched from their registries. Which ones? Nothing: all that are not here.", asks="names"),
        Step("Those that are here can be fetched again.", asks="--again"),
    ),
    prints="list of PrefetchView",
    changes=True,
    asks=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("image bases", "doctor", "admin limits check"),
)  # fmt: skip
