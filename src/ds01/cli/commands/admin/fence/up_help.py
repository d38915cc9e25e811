"""What ``ds01 admin fence up`` takes and says."""

from ds01.cli.command import Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Put DS01's rules back into the firewall",
    examples=(
        ("ds01 admin fence up", "put them back"),
        ("ds01 admin fence up --json", "for programs"),
        ("ds01 admin fence up --quiet", "only what is wrong"),
        ("ds01 events --all --type fence", "who took it down, and put it up"),
        ("ds01 doctor", "whether all else is well"),
    ),
    about="ds01d looks every few seconds from then on.",
    idea="The engine keeps networks apart by rules that another engine on the host, or a reload of the firewall,"
    " empties. DS01's stand before them and come back within seconds.",
    topics=("containers",),
    guide=(Step("Put DS01's rules back into the firewall."),),
    prints="FenceView",
    exits=(Exit.NOT_ALLOWED,),
    related=("admin fence show", "admin fence down", "doctor"),
)
