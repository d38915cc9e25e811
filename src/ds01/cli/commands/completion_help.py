"""What ``ds01 completion`` takes and says."""

from ds01.cli.command import Argument, Command, Step

COMMAND = Command(
    summary="Print the script that lets your shell complete DS01's words",
    arguments=(Argument("shell", "bash, zsh or fish", complete="shell", reads="shell"),),
    examples=(
        ("ds01 completion bash", "print it"),
        ("ds01 completion bash >> ~/.bashrc", "have it in every bash"),
        ("ds01 completion zsh > ~/.zsh/_ds01", "for zsh, in a folder of its fpath"),
        ("ds01 completion fish > ~/.config/fish/completions/ds01.fish", "for fish"),
        ("ds01 help commands", "what can be completed"),
    ),
    about="The script completes commands, options, their values, and the names of your projects, containers and images,"
    " for ds01 and for every other name it is installed under. It asks ds01 itself, so it is never behind.",
    idea="Nobody has to remember names: press Tab, and the shell offers what fits at that place.",
    guide=(Step("The script goes into your shell's start file. Which shell do you use?", asks="shell"),),
    local=True,
    related=("help",),
)
