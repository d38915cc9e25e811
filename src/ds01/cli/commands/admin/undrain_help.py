"""What ``ds01 admin undrain`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Let new work onto a drained GPU",
    arguments=(Argument("gpu", "a GPU by its number, an instance by its label or UUID, or 'all'", complete="gpu"),),
    examples=(
        ("ds01 admin undrain 1", "GPU 1"),
        ("ds01 admin undrain 1:3g.20gb", "one instance"),
        ("ds01 admin undrain all", "every GPU of the server"),
        ("ds01 gpus", "what is free now"),
        ("ds01 doctor", "what else is out of service"),
    ),
    about="Ends what drain began. A GPU that the driver reports as broken, or that a process outside "
    "DS01 uses, stays out of service for that reason.",
    idea="A GPU is given out again when nothing speaks against it.",
    topics=("gpus",),
    guide=(Step("ds01 gpus shows them. Which one?", asks="gpu"),),
    prints="DrainView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("admin drain", "admin mig apply", "gpus"),
)
