"""The fence around users' networks, as its admin sees it."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Look at DS01's rules in the firewall, take them out, put them back",
    idea="ds01d keeps users' networks apart from each other and from the server with rules of its own, whatever the"
    " engine's rules are.",
    topics=("containers",),
    default="show",
)
