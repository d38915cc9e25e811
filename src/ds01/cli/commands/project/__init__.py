"""Projects: a folder, an image, a set of packages."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Projects: create them, look at them, check them",
    idea="A project is one folder, one image and one set of packages. Its file ds01.toml is the record: what the image"
    " is made of and how its containers run. The folder is the workspace, which stays when containers go.",
    topics=("projects",),
)
