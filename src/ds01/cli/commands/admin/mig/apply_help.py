"""What ``ds01 admin mig apply`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Divide GPUs as planned",
    arguments=(Argument("plan", "GPU: profiles; several GPUs are separated by ';'", many=True),),
    examples=(
        ("ds01 admin mig apply '1: 3g.20gb 2g.10gb 2g.10gb'", "one GPU in three"),
        ("ds01 admin mig apply '1: off'", "whole again"),
        ("ds01 admin mig apply '1: 7x1g.5gb' --yes", "without a question"),
        ("ds01 admin mig apply '1: 7x1g.5gb' --dry-run", "what would happen"),
        ("ds01 admin drain 1", "first let a GPU run empty"),
    ),
    about="Nobody is placed on the GPU meanwhile. It is refused, and nothing is begun, while a lease or a process is on"
    " one of the GPUs. The plan is kept: after a reboot, when cards have forgotten it, ds01d divides them so again"
    " before it gives them to anybody.",
    idea="Kept free, proven free, divided, offered again: in this order, and never under anybody's work.",
    topics=("gpus",),
    guide=(Step("Whoever is on the GPU comes first: see 'ds01 admin mig plan'. Which plan?", asks="plan"),),
    prints="MigView",
    asks=True,
    changes=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("admin mig plan", "admin drain", "gpus"),
)
