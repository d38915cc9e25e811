"""What ``ds01 project share`` takes and says."""

from ds01.cli.command import Argument, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Let somebody use a project where it lies",
    arguments=(Argument("name", "the project", complete="project"),),
    options=(
        Option(
            "--with", "LOGIN", "who: a login, or group:NAME", looks="somebody", default="say with whom it is shared"
        ),
        flag("--write", "may write, too, and so make programs run as you"),
        flag("--read-only", "may read, not write: what holds without --write"),
        flag("--stop", "take it back"),
    ),
    examples=(
        ("ds01 project share thesis --with bob", "bob may read it"),
        ("ds01 project share thesis --with bob --write", "and write in it"),
        ("ds01 project share thesis --with group:lab", "everybody of a Unix group"),
        ("ds01 project share thesis", "with whom it is shared"),
        ("ds01 project share thesis --with bob --stop", "take it back"),
    ),
    about="Names somebody in the access lists of the project's files and folders, and of those that come later. Nothing"
    " is copied. To get there she may pass through your home and ~/workspace, and cannot list them; files and folders"
    " in there that everybody may read are named, because the way to them was closed before. Files and folders that may"
    " hold secrets (.env, .netrc, .ssh, .aws, .config, .cache, kaggle.json, id_*, *.pem, *.key, a .git/config with a"
    " password) and DS01's own folder are left out and named; one that comes later is closed when you type it again."
    " Links are not followed, and files of others stay as they are and are listed. With --write she may change what you"
    " run, so she can make programs run as you; what git keeps (.git) she may only read, and after a later 'git init'"
    " type it again. --stop closes each folder before it looks into it, and fails with a list while files of others are"
    " in it. A container keeps to its owner's folders: to work with the same packages a teammate makes a project of her"
    " own from it, from this folder ('ds01 init' shows how).",
    idea="The environment is the project file, so sharing the folder shares it. A project is private until its owner"
    " says otherwise, and only she can.",
    topics=("projects", "workspaces"),
    guide=(
        Step("A project is private until you share it. Which one?", asks="name"),
        Step("Who may use it?", asks="--with"),
        Step(
            "Reading is enough for most. Who may write may change and remove, and make programs run as you.",
            asks="--write",
        ),
    ),
    prints="list of ShareView",
    changes=True,
    exits=(Exit.NOT_FOUND, Exit.NOT_ALLOWED),
    local=True,
    related=("project show", "init"),
)
