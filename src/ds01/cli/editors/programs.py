"""The programs that can be started in a container for a browser: how each is called, and how it knows who may come."""

from __future__ import annotations

from ds01.domain.record import record


@record
class Editor:
    """One program. ``words`` is how it is started; ``{port}`` in it is where it has to listen.

    ``variable`` is where it reads its token from, which never stands in its arguments: every user of the server can
    read those. One without such a variable asks nobody, so the relay asks (``ds01.cli.editors.relay``).
    """

    name: str
    title: str
    package: str
    words: tuple[str, ...]
    page: str
    variable: str = ""

    @property
    def number(self) -> str:
        """The port in the container that it listens on already; 0 for one that is started, on any that is free."""
        return "0" if self.words else self.name.rpartition("-")[2]

    @property
    def program(self) -> str:
        """What has to be in the image."""
        return self.words[0]


JUPYTER = Editor(
    name="jupyter", title="JupyterLab", package="jupyterlab", page="/lab", variable="JUPYTER_TOKEN",
    words=("jupyter-lab", "--no-browser", "--ip=127.0.0.1", "--port={port}", "--ServerApp.port_retries=0",
           "--ServerApp.root_dir=/workspace"),
)  # fmt: skip


def tensorboard(folder: str) -> Editor:
    """TensorBoard over what is written to ``folder`` of the container."""
    return Editor(
        name="tensorboard", title="TensorBoard", package="tensorboard", page="/",
        words=("tensorboard", "--host=127.0.0.1", "--port={port}", f"--logdir={folder}"),
    )  # fmt: skip


def port(number: int) -> Editor:
    """Something of the user's own that listens on a port of the container already. It is asked for no token: the socket
    is hers alone, and what goes through need not be HTTP.
    """
    return Editor(name=f"port-{number}", title=f"Port {number}", package="", words=(), page="/")
