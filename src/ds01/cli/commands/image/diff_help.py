"""What ``ds01 image diff`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Show which packages changed between two builds",
    arguments=(
        Argument("first", "a project, or PROJECT:BUILD", required=False, reads="build", complete="built",
                 default="the project you are in"),
        Argument("second", "another build: BUILD, PROJECT or PROJECT:BUILD", required=False, reads="build",
                 default="the first is compared with the build before it"),
    ),
    examples=(
        ("ds01 image diff thesis", "what the last build changed"),
        ("ds01 image diff thesis:20261126-0915 thesis", "from an earlier build to the present one"),
        ("ds01 image diff thesis:20261126 20261127", "two builds of one project, by how they begin"),
        ("ds01 image diff thesis baseline", "two projects"),
        ("ds01 image diff thesis --json", "for programs"),
    ),
    about="Lists what was added (+), removed (-) and changed (~), with versions: Python packages, those conda knows,"
    " and Debian's. Each image is looked into by its own Python and Debian, in a step of a build that leaves nothing;"
    " that takes a second, and nothing when it was looked into before. A build is named by its time, or the beginning"
    " of it: ds01 image history shows them.",
    idea="An image is a blueprint that never changes; a rebuild makes another one. When something worked yesterday and"
    " does not today, the difference between the two builds is where to look first.",
    topics=("images", "python"),
    guide=(
        Step("Two builds are compared by the packages in them. Which project, or which build?", asks="first"),
        Step("With which other one? Nothing: the build before it.", asks="second"),
    ),
    prints="BuildDifference",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("image history", "image rollback", "image show"),
)  # fmt: skip
