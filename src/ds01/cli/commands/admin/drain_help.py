"""What ``ds01 admin drain`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Keep new work away from a GPU",
    arguments=(Argument("gpu", "a GPU by its number, an instance by its label or UUID, or 'all'", complete="gpu"),),
    options=(Option("--reason", "TEXT", "why, in words that people see in ds01 gpus"),),
    examples=(
        ("ds01 admin drain 1", "GPU 1, all of it"),
        ("ds01 admin drain 1 --reason 'fan is loud'", "with a reason people see"),
        ("ds01 admin drain 1:3g.20gb", "one instance"),
        ("ds01 admin drain all", "every GPU of the server"),
        ("ds01 admin undrain 1", "let work come again"),
    ),
    about="What runs there goes on and keeps its lease; nobody new is placed there. Requests that wai"
    "t are planned on the other GPUs. It stays so, also after a restart, until undrain.",
    idea="Maintenance waits for people, not the other way round.",
    topics=("gpus",),
    guide=(Step("ds01 gpus shows them. Which one?", asks="gpu"),),
    prints="DrainView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("admin undrain", "admin mig apply", "gpus"),
)
