"""What ``ds01 init`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Create a project, or make an existing folder one",
    arguments=(Argument("name", "the project's name, also that of its folder", reads="name"),),
    options=(
        Option(
            "--type",
            "TYPE",
            "what it is for: ml, cv, nlp, rl, audio, ts, llm, data or blank; decides the first packages",
            complete="type",
            reads="kind",
            default="data",
        ),
        flag("--blank", "no packages, no folders: the same as --type blank"),
        Option("--desc", "TEXT", "what it is about, in a line", reads="line"),
        Option(
            "--base",
            "NAME",
            "the base of its image",
            complete="base",
            reads="base",
            default="what the folder's devcontainer.json says, else minimal",
        ),
        flag("--lean", "without the packages most projects have (numpy, pandas, jupyterlab, …)"),
        Option(
            "--from", "SOURCE", "begin with the files of a folder, a git address, or template:NAME", complete="folder"
        ),
        flag("--vscode", "files for VS Code, too: settings, a devcontainer, completion in ds01.toml"),
        flag("--git", "make the folder a git repository too"),
        flag("--no-git", "no git repository: so it is without --git, too"),
    ),
    examples=(
        ("ds01 init thesis", "a project for data analysis"),
        ("ds01 init thesis --type ml --git", "for machine learning, with a git repository"),
        ("ds01 init thesis --blank", "no packages, no folders"),
        ("ds01 init thesis --from ~/old/thesis", "with the code of another folder"),
        ("ds01 init thesis --dry-run", "what would be written"),
    ),
    about="Creates ~/workspace/NAME with the project file ds01.toml, a README, ignore files, folders for data, code,"
    " notebooks and results, and a short program that shows that the GPU works. Nothing is built yet: 'ds01"
    " launch' builds the image. A folder that exists is adopted: what is in it is never overwritten, and each file"
    " that differs from what would be written is listed. What lists packages in it (uv.lock, requirements.txt,"
    " environment.yml, pyproject.toml, devcontainer.json, Dockerfile) goes into the new project file; a --base"
    " that is given wins over that of a devcontainer.json, and is refused where a Dockerfile decides. --from"
    " copies code and settings first, never data, results or secrets; without --type only the project file is"
    " added then. Types: ml classical machine learning, cv computer vision, nlp language models, rl reinforcement"
    " learning, audio speech and sound, ts time series, llm large language models, data data analysis, blank"
    " nothing.",
    idea="The type only chooses what the project starts with. From then on ds01.toml is yours: a package in it is in"
    " every container, one that is not in it is gone with the container it was installed in.",
    topics=("projects", "python"),
    guide=(
        Step("A project is a folder in ~/workspace with a file that says what its image is made of.", asks="name"),
        Step("The type chooses the packages it starts with; they can be changed at any time.", asks="--type"),
        Step("A line for the README and the project file.", asks="--desc"),
        Step("The base is what the image is built on; minimal has Python and is always there.", asks="--base"),
        Step("Most projects begin with numpy, pandas, matplotlib and jupyterlab. Leave them out?", asks="--lean"),
        Step("A git repository keeps the history of your code; data and results stay out of it.", asks="--git"),
        Step("Do you work with VS Code? It gets settings and a devcontainer, too.", asks="--vscode"),
    ),
    prints="NewProject",
    asks=True,
    changes=True,
    exits=(Exit.NO_RESOURCE, Exit.NOT_ALLOWED),
    local=True,
    related=("launch", "project check", "image update"),
)
