"""What ``ds01 image list`` takes and says."""

from ds01.cli.command import Command, Step, flag

COMMAND = Command(
    summary="List your images",
    options=(flag("--all", "older builds too, that no name points to any more", short="-a"),),
    examples=(
        ("ds01 image list", "your images"),
        ("ds01 image list --all", "with older builds"),
        ("ds01 image list --json", "for programs"),
        ("ds01 image show thesis", "more about one"),
        ("ds01 image delete thesis", "remove one that is no longer needed"),
    ),
    about="One line for each image: its project, when it was built, its size, whether it is what the project file says"
    " now, and the containers that were made from it. 'behind' means that the project file or the base has changed"
    " since. Sizes count layers that images share more than once.",
    idea="Images are blueprints and stay until you delete them. One image backs as many containers as you like, at the"
    " same time.",
    topics=("images",),
    guide=(Step("The list shows your images. Older builds can be shown too.", asks="--all"),),
    prints="list of ImageView",
    related=("image show", "image create", "image delete", "project list"),
)
