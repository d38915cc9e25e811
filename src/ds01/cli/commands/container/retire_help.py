"""What ``ds01 retire`` takes and says."""

from ds01.cli.command import CONTAINER, REASON, USER, Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="End a container for good and free its GPU, losing nothing unseen",
    arguments=(CONTAINER,),
    options=(
        flag("--keep-packages", "write packages installed by hand into the project file"),
        flag("--rescue", "copy changed files outside the workspace into it first"),
        flag("--force", "end its programs at once instead of letting them finish"),
        USER,
        REASON,
    ),
    examples=(
        ("ds01 retire thesis", "look, ask, end it"),
        ("ds01 retire thesis --user bob --reason 'left the lab'", "an admin ends his"),
        ("ds01 retire thesis --dry-run", "what would be lost, and nothing else"),
        ("ds01 retire thesis --yes", "without questions; packages become suggestions"),
        ("ds01 retire thesis --keep-packages --rescue --yes", "keep everything, without questions"),
    ),
    about="First it shows what still runs, which changed files lie outside the workspace, and which packages were"
    " installed or upgraded by hand. It offers to write the packages into the project file, so that the next container"
    " has them, and to copy the files into .ds01/rescued/ of the workspace. Then the programs are asked to end and get"
    " the grace time of your limits, the container is removed, and its GPU is free before the prompt is back. With"
    " --yes packages are only noted in .ds01/suggested-packages.txt of the workspace, and no files are copied; the"
    " answer says so. With --dry-run and --json the preview is printed (RetirePreview).",
    idea="A container is for a session. Retire it when you are done: somebody else can use the GPU at once, and making"
    " the container again takes seconds. The workspace is never touched.",
    topics=("containers", "workspaces", "python"),
    guide=(
        Step("Retiring ends a container for good; its files in /workspace stay. Which container?", asks="name"),
        Step("Packages you installed by hand can be written into the project file.", asks="--keep-packages"),
        Step("Changed files outside /workspace can be copied into it.", asks="--rescue"),
    ),
    prints="RetireResult",
    asks=True,
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("stop", "launch", "list"),
)
