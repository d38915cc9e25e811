"""What ``ds01 tensorboard`` takes and says."""

from ds01.cli.command import CONTAINER, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="TensorBoard in a container, in your laptop's browser",
    arguments=(CONTAINER,),
    options=(
        Option("--logdir", "DIR", "the folder in the container that is looked at", default="/workspace"),
        flag("--stop", "end it; the container goes on"),
        flag("--on-server", "keep a port of the server open for it, until Ctrl-C"),
        Option("--server", "HOST", "what your laptop calls this server", default="its full name or address"),
    ),
    examples=(
        ("ds01 tensorboard thesis", "everything below the workspace"),
        ("ds01 tensorboard thesis --logdir /workspace/outputs/runs", "one folder"),
        ("ds01 tensorboard thesis --server gpu.lab.org", "with the name you log in with"),
        ("ds01 tensorboard thesis --on-server", "for an ssh that cannot lead to a socket, such as PuTTY"),
        ("ds01 tensorboard thesis --stop", "end it"),
    ),
    about="Launches the container when it does not run, starts TensorBoard in it and prints two lines: the ssh command"
    " for the laptop and the address to open there. TensorBoard asks nobody who they are, so DS01 does: the address has"
    " a random token, and without it there is no answer. Another --logdir counts after --stop. Nothing is published:"
    " the tunnel ends at a socket in your workspace that you alone may open.",
    idea="Curves belong where the training runs: TensorBoard reads the files in /workspace, your browser shows them.",
    topics=("editors",),
    guide=(Step("TensorBoard shows what your trainings write. In which container?", asks="name"),),
    prints="EditorView",
    asks=True,
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NO_RESOURCE),
    related=("jupyter", "tunnel"),
)
