"""What ``ds01 top`` takes and says."""

from ds01.cli.command import Command, Step

COMMAND = Command(
    summary="Watch your containers, the queue and the GPUs, live",
    examples=(
        ("ds01 top", "until you press q"),
        ("ds01 top --color never", "without colours"),
        ("ds01 status", "the same as a still picture"),
        ("ds01 list --watch", "only your containers"),
        ("ds01 container top thesis", "the programs in one container"),
    ),
    about="A screen that is renewed every 2 seconds: notices, your containers with how long they may still idle and"
    " run, who waits, and every GPU with how busy it is and whose. What others have is 'in use'; admins see the names."
    " Up and down choose a container: a opens a shell in it, r retires it (with the questions that has), e extends its"
    " running time, q leaves. It needs a terminal; without one, and for a screen reader, there is ds01 status.",
    idea="Whether a run does something is best seen over a minute, not in one look.",
    topics=("gpus", "containers"),
    guide=(Step("The live view stays until you press q."),),
    related=("status", "list", "gpus", "queue"),
)
