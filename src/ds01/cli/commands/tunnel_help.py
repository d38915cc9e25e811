"""What ``ds01 tunnel`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Reach a port of a container from your laptop",
    arguments=(
        Argument("name", "the container", complete="container"),
        Argument("port", "the port in it, or the name that [run] ports of ds01.toml gives one", reads="port"),
    ),
    options=(
        flag("--stop", "close the way there; the program goes on"),
        flag("--on-server", "keep a port of the server open for it, until Ctrl-C"),
        Option("--server", "HOST", "what your laptop calls this server", default="its full name or address"),
    ),
    examples=(
        ("ds01 tunnel thesis 8501", "a Streamlit app"),
        ("ds01 tunnel thesis mlflow", "with ports = {mlflow = 5000} in the project file"),
        ("ds01 tunnel thesis 8501 --server gpu.lab.org", "with the name you log in with"),
        ("ds01 tunnel thesis 8501 --on-server", "for an ssh that cannot lead to a socket, such as PuTTY"),
        ("ds01 tunnel thesis 8501 --stop", "close it again"),
    ),
    about="For a program of yours that listens on a port inside the container, on 127.0.0.1 or on all addresses. What"
    " goes through may be any protocol. Nothing is published: the tunnel ends at a socket in your workspace that you"
    " alone may open, so no token is asked for. It works for containers that run already, however made.",
    idea="A port inside a container is the container's own. A tunnel leads to it from your laptop without opening it to"
    " the other people of the server.",
    topics=("editors",),
    guide=(
        Step("A program in the container listens on a port. In which container?", asks="name"),
        Step("On which port?", asks="port"),
    ),
    prints="EditorView",
    asks=True,
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NO_RESOURCE),
    related=("jupyter", "tensorboard", "ssh-config"),
)
