"""Notices: what DS01 tells by itself."""

from ds01.cli.command import Group

GROUP = Group(
    summary="See what DS01 told you, and choose how you are told",
    idea="Nothing is stopped or removed by itself without a word before it: on your terminals, in the shells of the"
    " container, in a file of its workspace, by mail or to a webhook, and in your next ds01 command.",
    topics=("time", "containers"),
    default="show",
)
