"""What ``ds01 code`` takes and says."""

from ds01.cli.command import CONTAINER, Command, Option, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Open VS Code in a container",
    arguments=(CONTAINER,),
    options=(Option("--server", "HOST", "what your laptop calls this server", default="its full name or address"),),
    examples=(
        ("ds01 code thesis", "the link, and the same as a command"),
        ("ds01 code", "for the project you are in"),
        ("ds01 code thesis --server gpu.lab.org", "with the name you log in with"),
        ("ds01 code thesis --json", "for programs"),
        ("ds01 code thesis --yes", "without a question when its image has to be built first"),
    ),
    about="Launches the container when it does not run, and prints the vscode:// link that opens /workspace of it in VS"
    " Code on the laptop, by its Remote - SSH extension and the block of 'ds01 ssh-config'. VS Code puts its own server"
    " into the container by itself; it goes with the container. The other way, 'Reopen in Container' with the project's"
    " devcontainer.json, works through plain Docker.",
    idea="The editor's window is on your laptop; files, Python, terminals and GPUs are those of the container.",
    topics=("editors",),
    guide=(Step("VS Code on your laptop opens a container as a folder. Which one?", asks="name"),),
    prints="CodeView",
    asks=True,
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NO_RESOURCE),
    related=("ssh-config", "ssh", "jupyter"),
)
