"""What ``ds01 admin mig plan`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See what a plan for dividing GPUs would change",
    arguments=(Argument("plan", "GPU: profiles; several GPUs are separated by ';'", many=True),),
    examples=(
        ("ds01 admin mig plan '1: 3g.20gb 2g.10gb 2g.10gb'", "one GPU in three"),
        ("ds01 admin mig plan '1: 7x1g.5gb; 2: 2x3g.20gb'", "two GPUs"),
        ("ds01 admin mig plan '1: off'", "whole again"),
        ("ds01 admin mig plan '1: 7x1g.5gb' --json", "for programs"),
        ("ds01 admin mig apply '1: 7x1g.5gb'", "do it"),
    ),
    about="Checks the plan against the card: profiles it offers, and whether they find room together. Says who is on"
    " the GPUs that would change: containers with a lease, also held ones, and processes.",
    idea="Dividing a GPU takes it away from whoever is on it, so it is done when nobody is.",
    topics=("gpus",),
    guide=(Step("A plan is a GPU's number, a colon, and profiles. Which plan?", asks="plan"),),
    prints="MigView",
    exits=(Exit.NOT_ALLOWED,),
    related=("admin mig show", "admin mig apply", "admin drain"),
)
