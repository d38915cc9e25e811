"""What ``ds01 ssh-config`` takes and says."""  # noqa: N999

from ds01.cli.command import Argument, Command, Option, Step

COMMAND = Command(
    summary="Print what goes into ~/.ssh/config of your laptop",
    arguments=(
        Argument("name", "one container", required=False, complete="container", default="all you have and will have"),
    ),
    options=(
        Option("--server", "HOST", "what your laptop calls this server", default="its full name or address"),
        Option("--suffix", "WORD", "what the names end with on the laptop", default="ds01"),
    ),
    examples=(
        ("ds01 ssh-config", "for all containers: ssh NAME.ds01"),
        ("ds01 ssh-config thesis", "for one, which editors then list by its name"),
        ("ds01 ssh-config --server gpu.lab.org", "with the name you log in with"),
        ("ds01 ssh-config --suffix lab2", "when the laptop has another server with DS01"),
        ("ds01 ssh-config --quiet", "the block alone, to be written into the file"),
    ),
    about="On the laptop, ssh SERVER ds01 ssh-config --quiet >> ~/.ssh/config does it in one step. The block says how"
    " the laptop's ssh gets into a container: through its own login to the server, with your keys, your jump hosts and"
    " all you have set for it. There is no key in it and no password. ssh NAME.ds01 is a shell in the container then.",
    idea="Set up once: every container you launch later is reachable by its name from the laptop.",
    topics=("editors",),
    guide=(Step("The block is printed; it belongs at the end of ~/.ssh/config on the laptop."),),
    prints="SshConfigView",
    local=True,
    related=("ssh", "code"),
)
