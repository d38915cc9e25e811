"""What ``ds01 ssh`` takes and says."""

from ds01.cli.command import CONTAINER, Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Get into a container with your laptop's ssh",
    arguments=(CONTAINER,),
    options=(
        flag("--stdio", "speak SSH on input and output: what the laptop's ssh starts, not you"),
        Option("--server", "HOST", "what your laptop calls this server", default="its full name or address"),
    ),
    examples=(
        ("ds01 ssh thesis", "what to do on the laptop"),
        ("ds01 ssh", "for the project you are in"),
        ("ds01 ssh thesis --server gpu.lab.org", "with the name you log in with"),
        ("ds01 ssh thesis --json", "for programs"),
        ("ds01 ssh --stdio thesis", "what the laptop's ssh runs here; nothing for a person to type"),
    ),
    about="Prints the block for ~/.ssh/config of the laptop, which serves all your containers, and the name that ssh"
    " knows this one by. No container has an SSH server: the laptop's ssh logs in to this server as ever and starts"
    " 'ds01 ssh --stdio' there, which speaks SSH for a container that runs. A shell, commands with their exit codes,"
    " pipes, a terminal and ssh -L into the container work, and so do editors that work over SSH. scp, sftp and rsync"
    " need their other half in the image (openssh-sftp-server, rsync). A container that is stopped stays so.",
    idea="The server's own door is the only one: whoever may log in to the server comes to her own containers, to no"
    " others, with the keys she has.",
    topics=("editors",),
    guide=(Step("Your laptop's ssh can lead right into a container. Into which?", asks="name"),),
    prints="SshConfigView",
    exits=(Exit.NOT_FOUND,),
    related=("ssh-config", "code", "attach"),
)
