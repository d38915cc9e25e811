"""Images: the blueprints that containers are made from."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Images: build them, look at them, change their packages",
    idea="An image is a blueprint, a container an instance of it. Changing the blueprint changes no container that"
    " exists: it takes a rebuild, and then a new container.",
    topics=("images", "python"),
)
