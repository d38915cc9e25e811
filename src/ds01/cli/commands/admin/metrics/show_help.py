"""What ``ds01 admin metrics show`` takes and says."""

from ds01.cli.command import Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Print what ds01d measures, for Prometheus",
    options=(
        Option("--to", "FILE", "write it there, in one step", complete="file", looks="place"),
        flag("--people", "also what each user has; admins only"),
    ),
    examples=(
        ("ds01 admin metrics", "all of them, now"),
        ("ds01 admin metrics --to /var/lib/prometheus/node-exporter/ds01.prom", "for the textfile collector"),
        ("ds01 admin metrics --people --to /var/lib/prometheus/node-exporter/ds01.prom", "with users' names"),
        ("ds01 admin metrics --to ds01.prom --dry-run", "what would happen"),
        ("ds01 usage --all --by user", "who used what"),
    ),
    about="GPUs, leases, containers, the queue, warnings and energy in Prometheus' text format. The same is at"
    " /v1/metrics on the socket of ds01d. A timer that writes it into the folder of node_exporter's textfile collector"
    " every 15 seconds needs no port of its own. There are no names of people in it unless you say --people; the file"
    " is then for the group of its folder only. docs/reference/metrics.md lists every name.",
    idea="Graphs and alarms are the business of a monitoring system. DS01 says what it knows in its language.",
    topics=("gpus",),
    guide=(Step("Metrics are printed for Prometheus. To a file?", asks="--to"),),
    changes=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("admin metrics rules", "admin metrics dashboards", "usage", "doctor"),
)
