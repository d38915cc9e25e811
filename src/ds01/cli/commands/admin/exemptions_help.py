"""What ``ds01 admin exemptions`` takes and says."""

from ds01.cli.command import Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Show limits that are lifted for users, or end one",
    options=(Option("--end", "ID", "end this one now"),),
    examples=(
        ("ds01 admin exemptions", "those in force"),
        ("ds01 admin exemptions --end exemption-1a2b3c4d", "end one"),
        ("ds01 admin exemptions --json", "for programs"),
        ("ds01 admin exempt bob idle --until 3d --reason demo", "give one"),
        ("ds01 events --type exemption --all", "all there ever were"),
    ),
    about="Lists the exemptions that admins gave with ds01 admin exempt and that have not ended, with who gave them and"
    " why. Ending one brings the limits back at once; whoever is over them is warned first, as always.",
    idea="An exemption ends by itself. This is for looking, and for ending one earlier.",
    topics=("limits",),
    guide=(Step("These are the limits that are lifted by word now."),),
    prints="list of ExemptionView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("admin exempt", "limits"),
)
