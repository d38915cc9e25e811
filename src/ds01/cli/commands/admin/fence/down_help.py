"""What ``ds01 admin fence down`` takes and says."""

from ds01.cli.command import Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Take DS01's rules out of the firewall, and leave them out",
    examples=(
        ("ds01 admin fence down", "take them out"),
        ("ds01 admin fence down --json", "for programs"),
        ("ds01 admin fence down --quiet", "only what is wrong"),
        ("ds01 events --all --type fence", "who took it down, and put it up"),
        ("ds01 doctor", "whether all else is well"),
    ),
    about="For work on the firewall. ds01d does not put them up again by itself until 'ds01 admin fence up', and ds01"
    " status and ds01 doctor say so meanwhile. Where DS01 itself is removed, ds01d has an option that does the same.",
    idea="The engine keeps networks apart by rules that another engine on the host, or a reload of the firewall,"
    " empties. DS01's stand before them and come back within seconds.",
    topics=("containers",),
    guide=(Step("Take DS01's rules out of the firewall, and leave them out."),),
    prints="FenceView",
    asks=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("admin fence show", "admin fence up", "doctor"),
)
