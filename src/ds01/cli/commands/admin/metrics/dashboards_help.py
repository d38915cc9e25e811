"""What ``ds01 admin metrics dashboards`` takes and says."""

from ds01.cli.command import Command, Option, Step

COMMAND = Command(
    summary="Write the dashboards for Grafana",
    options=(Option("--to", "DIR", "write the files there", complete="folder", looks="place"),),
    examples=(
        ("ds01 admin metrics dashboards --to /var/lib/grafana/dashboards", "where Grafana reads them"),
        ("ds01 admin metrics dashboards --to .", "here, to import them by hand"),
        ("ds01 admin metrics dashboards --to . --dry-run", "what would be written"),
        ("ds01 admin metrics dashboards", "print them"),
        ("ds01 admin metrics rules", "the rules they need"),
    ),
    about="Four files: the overview, users, GPUs and health. They ask the Prometheus you choose in them, and need the"
    " figures that 'ds01 admin metrics rules' records. The one about users stays empty unless metrics are collected"
    " with users' names. Write them again after an update. It needs no ds01d.",
    idea="The pictures are described by the names ds01d's metrics have, and tested against them: none is empty because"
    " of a name that changed.",
    topics=("gpus",),
    guide=(Step("Dashboards are written for Grafana. Into which folder?", asks="--to"),),
    changes=True,
    local=True,
    related=("admin metrics show", "admin metrics rules", "usage"),
)
