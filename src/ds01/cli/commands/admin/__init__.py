"""Admin: what whoever runs the server types."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Run the server: limits files, and what else only admins do",
    idea="One file says what everybody may use, one daemon keeps to it. Nothing here has to be edited in a database.",
    topics=("limits",),
)
