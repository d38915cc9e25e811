"""What ``ds01 container stats`` takes and says."""

from ds01.cli.command import USER, Argument, Command, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="See what your running containers use now",
    arguments=(
        Argument(
            "names", "containers", required=False, many=True, complete="container", default="all that are running"
        ),
    ),
    options=(flag("--watch", "keep it on the screen, renewed every 2 seconds", short="-w"), USER),
    examples=(
        ("ds01 stats", "all that are running"),
        ("ds01 stats thesis", "one"),
        ("ds01 stats thesis exp-2", "two"),
        ("ds01 stats --watch", "stay and watch"),
        ("ds01 stats --json", "for programs"),
    ),
    about="One line for each container: CPU (100% is one core), memory in use and allowed, bytes over the network since"
    " it started, processes, its GPUs and how busy they are. With --watch and --json one line of JSON each time.",
    idea="A container that holds a GPU should use it: one that stays idle is stopped after a warning, because somebody"
    " else is waiting. Stats shows what DS01 sees.",
    topics=("limits",),
    guide=(Step("Stats shows CPU, memory and GPU of your running containers.", asks="--watch"),),
    prints="list of StatsView",
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("container top", "list", "gpus"),
)
