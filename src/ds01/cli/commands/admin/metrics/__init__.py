"""What ds01d measures, and what a monitoring system makes of it."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Metrics for Prometheus, rules for it, dashboards for Grafana",
    idea="Graphs and alarms are the business of a monitoring system. DS01 says what it knows in its language, and"
    " brings the rules and pictures that fit.",
    topics=("gpus",),
    default="show",
)
