"""What ``ds01 admin fence show`` takes and says."""

from ds01.cli.command import Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Say whether DS01's rules stand in the firewall",
    examples=(
        ("ds01 admin fence show", "whether they stand"),
        ("ds01 admin fence show --json", "for programs"),
        ("ds01 admin fence show --quiet", "only what is wrong"),
        ("ds01 events --all --type fence", "who took it down, and put it up"),
        ("ds01 doctor", "whether all else is well"),
    ),
    about="Looks for the two chains, their rules, and the ways into them.",
    idea="The engine keeps networks apart by rules that another engine on the host, or a reload of the firewall,"
    " empties. DS01's stand before them and come back within seconds.",
    topics=("containers",),
    guide=(Step("Say whether DS01's rules stand in the firewall."),),
    prints="FenceView",
    exits=(Exit.NOT_ALLOWED,),
    related=("admin fence down", "admin fence up", "doctor"),
)
