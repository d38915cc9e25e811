"""What ``ds01 jupyter`` takes and says."""

from ds01.cli.command import CONTAINER, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="JupyterLab in a container, in your laptop's browser",
    arguments=(CONTAINER,),
    options=(
        flag("--stop", "end it; the container goes on"),
        flag("--on-server", "keep a port of the server open for it, until Ctrl-C"),
        Option("--server", "HOST", "what your laptop calls this server", default="its full name or address"),
    ),
    examples=(
        ("ds01 jupyter thesis", "start it, or find it again"),
        ("ds01 jupyter", "in the project you are in"),
        ("ds01 jupyter thesis --server gpu.lab.org", "with the name you log in with"),
        ("ds01 jupyter thesis --on-server", "for an ssh that cannot lead to a socket, such as PuTTY"),
        ("ds01 jupyter thesis --stop", "end it"),
    ),
    about="Launches the container when it does not run, starts JupyterLab in it with a random token and prints two"
    " lines: the ssh command for the laptop and the address to open there. It goes on when you log out and when the"
    " laptop sleeps; the same command finds it again, with the same port. Nothing is published: the tunnel ends at a"
    " socket in your workspace that you alone may open. The port is one of your own (the limit 'ports'), and one that"
    " is taken is passed over. With --on-server a port of the server leads there, for you alone.",
    idea="A notebook is one more program in your container: it sees its GPU, its packages and /workspace, and ends with"
    " it. The browser is on your laptop, and ssh is the way between.",
    topics=("editors",),
    guide=(
        Step("JupyterLab runs in the container and shows itself in your laptop's browser. In which one?", asks="name"),
    ),
    prints="EditorView",
    asks=True,
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NO_RESOURCE),
    related=("tensorboard", "tunnel", "code", "ssh-config"),
)
