"""What ``ds01 container cp`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Copy files into or out of a running container",
    arguments=(
        Argument("source", "a path here, or NAME:PATH in a container", complete="path", reads="path"),
        Argument("target", "a path here, or NAME:PATH in a container", complete="path", reads="path"),
    ),
    examples=(
        ("ds01 cp thesis:/tmp/plot.png .", "out of the container, into this folder"),
        ("ds01 cp data.csv thesis:/tmp/", "into the container"),
        ("ds01 cp thesis:/opt/app app", "a folder, under another name"),
        ("ds01 cp models thesis:/tmp/models", "a folder into the container"),
        ("ds01 cp data.csv thesis:/tmp/ --dry-run", "what would be copied where"),
    ),
    about="Exactly one of the two is in a container. A target that is a folder is copied into; otherwise it is the new"
    " name. Files belong to you on both sides. Relative paths in the container start at /workspace. Sockets, devices"
    " and links that lead out of what is copied are left out, and named.",
    idea="For most files no copy is needed: /workspace in the container is a folder of yours on the server. Copy is for"
    " what lies elsewhere in it.",
    topics=("workspaces",),
    guide=(
        Step("Copy works in both directions. What should be copied? A path here, or NAME:PATH.", asks="source"),
        Step("And where to? Again a path here, or NAME:PATH.", asks="target"),
    ),
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    related=("exec", "attach", "retire"),
)
