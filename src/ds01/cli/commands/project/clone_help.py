"""What ``ds01 project clone`` takes and says."""

from ds01.cli.command import Argument, Command, Step
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Make a git repository a project of yours",
    arguments=(
        Argument("address", "the repository's address", reads="address"),
        Argument("name", "what to call the project", required=False, reads="name", default="as the repository"),
    ),
    examples=(
        ("ds01 project clone https://example.org/lab/paper.git", "into ~/workspace/paper"),
        ("ds01 project clone git@example.org:lab/paper.git", "with your own ssh key"),
        ("ds01 project clone https://example.org/lab/paper.git paper-2", "under another name"),
        ("ds01 project clone https://example.org/lab/paper.git --yes", "without a question"),
        ("ds01 project clone https://example.org/lab/paper.git --dry-run", "where it would go"),
    ),
    about="Clones with git, as you, into ~/workspace/NAME. A repository with a project file is a project at once. For"
    " any other one is proposed from what it has: uv.lock, requirements.txt, environment.yml or the dependencies"
    " of pyproject.toml (the first there is, named and not copied), a devcontainer.json (its image or Dockerfile,"
    " variables and ports), or a Dockerfile, which is built as it is. What is not taken over is told. Nothing of"
    " the repository is run, and no file of it is changed, but for the name in a project file when you choose"
    " another. When cloning fails or is interrupted nothing is left.",
    idea="Most repositories say somewhere what they need. The project file names that place, so that there is one list"
    " and not two.",
    topics=("projects",),
    guide=(
        Step("The address is what one gives to git clone.", asks="address"),
        Step("The name becomes the folder in ~/workspace, and the image's.", asks="name"),
    ),
    prints="NewProject",
    asks=True,
    changes=True,
    exits=(Exit.NOT_ALLOWED,),
    local=True,
    related=("init", "project check", "launch"),
)
