"""The command tree: the folders are the nouns, the files the verbs. ``NAME_help.py`` declares, ``NAME.py`` does."""

from ds01.cli.command import Group

GROUP = Group(
    summary="DS01: your own containers with a fair share of the GPUs of this server",
    idea="You have projects. Each project has one folder that stays (the workspace), one image that is its blueprint,"
    " and containers that come and go. You launch a container to work, retire it when done, and everything in the"
    " workspace is there the next time.",
    topics=("start",),
)
