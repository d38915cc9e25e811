"""What ``ds01 image bases`` takes and says."""

from ds01.cli.command import Command, Step

COMMAND = Command(
    summary="List the bases a project can be built on",
    examples=(
        ("ds01 image bases", "the catalogue of this server"),
        ("ds01 image bases --json", "for programs"),
        ("ds01 init thesis --base pytorch", "a new project on one of them"),
        ("ds01 image update thesis --edit", "choose another one for a project: base, under [image]"),
        ("ds01 image list", "your own images"),
    ),
    about="One line for each base: how large it is, the CUDA version in it with the oldest NVIDIA driver that runs it,"
    " and whether it is here. One that is not here is fetched when it is first built on, which needs the registry;"
    " those that are here build without it. Admins edit the catalogue in the limits file, under images.bases.",
    idea="A base is what an image begins with: a system, Python, perhaps a framework that fits a CUDA version. All"
    " share it, so it costs nobody room.",
    topics=("images", "python"),
    guide=(Step("The list shows what your projects can be built on."),),
    prints="list of BaseView",
    related=("image create", "project init", "admin image prefetch"),
)
