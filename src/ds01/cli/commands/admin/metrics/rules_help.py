"""What ``ds01 admin metrics rules`` takes and says."""

from ds01.cli.command import Command, Option, Step

COMMAND = Command(
    summary="Write the rules and alerts for Prometheus",
    options=(Option("--to", "DIR", "write the files there", complete="folder", looks="place"),),
    examples=(
        ("ds01 admin metrics rules", "print them"),
        ("ds01 admin metrics rules --to /etc/prometheus/rules", "where Prometheus reads them"),
        ("ds01 admin metrics rules --to /etc/prometheus/rules --dry-run", "what would be written"),
        ("ds01 admin metrics rules --to . --quiet", "in a script"),
        ("ds01 admin metrics", "what they are about"),
    ),
    about="Two files: ds01-rules.yml records figures that dashboards need, ds01-alerts.yml says what is worth"
    " somebody's attention, and in its description what to do. Both belong to this version of DS01: write them again"
    " after an update, and put rules of your own into other files. It needs no ds01d.",
    idea="An alert is worth having when it says what to do. These are the ones that whoever runs DS01 would write.",
    topics=("gpus",),
    guide=(Step("Rules and alerts are written for Prometheus. Into which folder?", asks="--to"),),
    changes=True,
    local=True,
    related=("admin metrics show", "admin metrics dashboards", "doctor"),
)
