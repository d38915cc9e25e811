"""What ``ds01 setup`` takes and says."""

from ds01.cli.command import Command, Option, Step, flag
from ds01.domain.errors import Exit

COMMAND = Command(
    summary="Get ready on your first day: check, complete, first project",
    options=(
        Option(
            "--key", "KEY", "let your laptop's public key log in: the line, or the file that has it", looks="public_key"
        ),
        Option("--project", "NAME", "make this project too", reads="name"),
        Option(
            "--type",
            "TYPE",
            "what the project is for: ml, cv, nlp, …; see 'ds01 init --info'",
            complete="type",
            reads="kind",
            default="data",
        ),
        flag("--completion", "let your shell complete DS01's words"),
    ),
    examples=(
        ("ds01 setup", "check that all is ready for you"),
        ("ds01 setup --project thesis --type cv", "and make your first project"),
        ("ds01 setup --key 'ssh-ed25519 AAAA… you@laptop'", "let your laptop log in without a password"),
        ("ds01 setup --project thesis --completion --yes", "and have Tab complete, without questions"),
        ("ds01 setup --dry-run", "only look"),
    ),
    about="Checks that ds01d and the gateway answer you, that your home is where it should be and your workspace"
    " folder can be written, and says what you may use. On a terminal it asks for the public key of your laptop, so"
    " that ssh and editors need no password, and for the name and the type of a first project; what is there"
    " already or was typed is not asked, and at the end it shows the command that asks nothing. The key goes into"
    " ~/.ssh/authorized_keys, once, with the permissions sshd wants; a private key is refused, and none is made here:"
    " on your laptop, 'ssh-keygen -t ed25519' makes a pair and 'cat ~/.ssh/id_ed25519.pub' shows the half to paste."
    " --completion adds the completion of your shell to its start file. It can be run again at any time: what is done"
    " already is left as it is.",
    idea="After it you know that everything works, and what to type next.",
    topics=("start",),
    guide=(
        Step(
            "Your laptop's public key lets it log in without a password: the one line of a file that ends in .pub."
            " On your laptop: cat ~/.ssh/id_ed25519.pub (make one with: ssh-keygen -t ed25519). Empty: later.",
            asks="--key",
        ),
        Step("What should your first project be called? It becomes a folder in ~/workspace.", asks="--project"),
        Step(
            "The type chooses the packages it starts with; they can be changed at any time.",
            asks="--type",
            after="--project",
        ),
        Step("Your shell can complete the words of ds01 when you press Tab.", asks="--completion"),
    ),
    asks=True,
    changes=True,
    exits=(Exit.NOT_ALLOWED,),
    related=("init", "launch", "status", "help"),
)
