"""What ``ds01 image update`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Change a project's packages, and build its image",
    arguments=(Argument("name", "the project", required=False, complete="project", default="the one you are in"),),
    options=(
        Option("--add", "PACKAGE", "a Python package, with versions if you like", many=True, reads="package"),
        Option("--remove", "PACKAGE", "a package to take out", many=True, reads="package"),
        Option("--add-apt", "PACKAGE", "a Debian package", many=True, reads="apt"),
        Option("--requirements", "FILE", "a requirements file of the project to install as well"),
        flag("--edit", "change the project file in your editor ($VISUAL or $EDITOR), then build"),
        flag("--rebuild", "build what the project file says now (does nothing when it is built already)"),
        flag("--no-cache", "build every step anew, with today's versions"),
        flag("--overwrite-dockerfile", "write the Dockerfile anew though it was edited; yours is kept beside it"),
    ),
    examples=(
        ('ds01 image update thesis --add "pandas>=2,<3"', "a package in the versions you can work with"),
        ("ds01 image update thesis --rebuild", "after you changed the project file yourself"),
        ("ds01 image update thesis --remove tqdm --dry-run", "what that would do, with the versions it would take"),
        ("ds01 image update thesis --add-apt git-lfs", "a program from Debian"),
        ("ds01 image update thesis --edit", "change the project file in your editor"),
    ),
    about="Writes the change into the project file, keeping your comments, and builds the image. Names and versions are"
    " checked and resolved before anything is written: two packages that exclude each other are told with the line that"
    " mends it. When the build fails, the project file is put back as it was and the image of before stays; what you"
    " wrote with --edit is kept as a draft. A package that is listed gets the new versions; a bare name leaves those"
    " that are there. Containers that exist keep the image they were made from: where one is running you are asked"
    " whether to replace it.",
    idea="'pip install' in a container is an experiment; the project file is the record. What it names is in every"
    " container made from then on, yours and your teammates'.",
    topics=("images", "python"),
    guide=(
        Step(
            "A change of packages is written into the project file, then the image is built. Which project?",
            asks="name",
        ),
        Step("A Python package, as pip knows it: scipy, or scipy>=1.10,<2.", asks="--add"),
        Step("A package that should go.", asks="--remove"),
        Step("A Debian package, for programs that are not Python.", asks="--add-apt"),
    ),
    prints="BuildView",
    asks=True,
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("image create", "project check", "launch"),
)
