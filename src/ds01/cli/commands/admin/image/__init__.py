"""Admin image: what the server keeps for everybody to build on."""

from ds01.cli.command import Group

GROUP = Group(
    summary="The bases that projects build on",
    idea="A base is fetched once and shared by all: whoever builds on it pays for her own layers only.",
    topics=("images",),
)
