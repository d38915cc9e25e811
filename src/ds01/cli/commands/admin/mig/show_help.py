"""What ``ds01 admin mig show`` takes and says."""

from ds01.cli.command import Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See how GPUs are divided, and how they could be",
    examples=(
        ("ds01 admin mig show", "all GPUs"),
        ("ds01 admin mig", "the same"),
        ("ds01 admin mig show --json", "for programs"),
        ("ds01 admin mig plan '1: 2x3g.20gb'", "what a plan would change"),
        ("ds01 gpus", "who has which slot"),
    ),
    about="One line for each GPU: how it is divided now, and the profiles the card offers."
    " A profile such as 3g.20gb is 3 compute slices with 20 GB.",
    idea="A plan names profiles; the driver says which of them find room on the card together.",
    topics=("gpus",),
    guide=(Step("The list shows what each card offers. A plan is made of these names."),),
    prints="MigView",
    exits=(Exit.NOT_ALLOWED,),
    related=("admin mig plan", "admin mig apply", "gpus"),
)
