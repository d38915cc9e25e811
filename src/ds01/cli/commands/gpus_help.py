"""What ``ds01 gpus`` takes and says."""

from ds01.cli.command import Command, Step

COMMAND = Command(
    summary="See the server's GPUs and which are free",
    examples=(
        ("ds01 gpus", "all of them"),
        ("ds01 gpus --json", "for programs"),
        ("ds01 gpus --plain", "one fact a line, for a screen reader"),
        ("ds01 launch thesis --gpus 1", "take one"),
        ("ds01 launch thesis --gpus 2g.10gb", "take a part of one"),
    ),
    about="One line for each slot: a whole GPU, or an instance of a GPU that is divided (MIG). 'holder' is you, or 'in"
    " use' when it is somebody else; admins see names. A slot that is out of service says why. 'share' is what the slot"
    " counts against your limit, in GPU-equivalents.",
    idea="You never choose a GPU by its number: you say how much you need, and get the least harmful free one.",
    topics=("gpus",),
    guide=(Step("The list shows every GPU of the server, who has it, and what is free."),),
    prints="GpusView",
    related=("status", "launch", "limits"),
)
