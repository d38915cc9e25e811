"""What ``ds01 project list`` takes and says."""

from ds01.cli.command import Command, Step

COMMAND = Command(
    summary="List your projects",
    examples=(
        ("ds01 project list", "your projects"),
        ("ds01 project list --json", "for programs"),
        ("ds01 project list --plain", "one fact a line, for a screen reader"),
        ("ds01 project show thesis", "more about one"),
        ("ds01 project check", "whether their files are right"),
    ),
    about="One line for each project in ~/workspace: its type, how many packages it lists, the state of its image, what"
    " its folder takes on the disk (empty when that takes long to count), its containers and what it is about."
    " 'stale' means that the project file, or the base, has changed since the image was built; 'ds01 launch'"
    " offers to build it again. A project whose file has a mistake is listed with it. Without ds01d the list has"
    " no images and containers.",
    idea="A project is a folder with a project file. The list is made from the folders, so a folder that was copied or"
    " cloned into ~/workspace is in it at once.",
    topics=("projects",),
    guide=(Step("The list shows the projects in ~/workspace and the state of their images."),),
    prints="list of ProjectView",
    local=True,
    related=("project show", "project check", "init", "list"),
)
