"""MIG: dividing GPUs."""

from ds01.cli.command import Group

GROUP = Group(
    summary="Divide GPUs into instances (MIG), or make them whole",
    idea="A divided GPU serves several people at once, each with memory and compute of her own. How it is divided is"
    " planned, done when nobody is on it, and done again after a reboot.",
    topics=("gpus",),
    default="show",
)
