"""What ``ds01 admin metrics`` takes and says."""

from ds01.cli.command import Command, Option, Step

COMMAND = Command(
    summary="Print what ds01d measures, for Prometheus",
    options=(Option("--to", "FILE", "write it there, in one step", complete="file"),),
    examples=(
        ("ds01 admin metrics", "all of them, now"),
        ("ds01 admin metrics --to /var/lib/prometheus/node-exporter/ds01.prom", "for the textfile collector"),
        ("ds01 admin metrics --to ds01.prom --dry-run", "what would happen"),
        ("ds01 usage --all --by user", "who used what"),
        ("ds01 gpus", "the same for people"),
    ),
    about="GPUs, leases, containers, the queue, warnings and energy in Prometheus' text format; no names of people. The"
    " same is at /v1/metrics on the socket of ds01d. A timer that writes it into the folder of node_exporter's textfile"
    " collector every 15 seconds needs no port of its own. docs/reference/metrics.md lists every name.",
    idea="Graphs and alarms are the business of a monitoring system. DS01 says what it knows in its language.",
    topics=("gpus",),
    guide=(Step("Metrics are printed for Prometheus. To a file?", asks="--to"),),
    changes=True,
    related=("usage", "gpus", "doctor"),
)
