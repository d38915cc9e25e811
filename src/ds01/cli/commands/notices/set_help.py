"""What ``ds01 notices set`` takes and says."""

from ds01.cli.command import Command, Option, Step

COMMAND = Command(
    summary="Choose how DS01 tells you things",
    options=(
        Option("--mail", "ADDRESS", "mail goes there; 'none' for your usual one", reads="mail"),
        Option("--webhook", "URL", "messages go there as well; 'none' takes it away"),
        Option("--shape", "KIND", "the webhook's kind", choices=("plain", "slack", "teams", "ntfy")),
        Option("--off", "CHANNEL", "do not use this channel", many=True),
        Option("--on", "CHANNEL", "use it again", many=True),
    ),
    examples=(
        ("ds01 notices set", "how you are told now"),
        ("ds01 notices set --mail me@example.org", "by mail, too"),
        ("ds01 notices set --webhook https://ntfy.sh/my-topic --shape ntfy", "on your phone"),
        ("ds01 notices set --off terminals", "not on every terminal"),
        ("ds01 notices set --json", "for programs"),
    ),
    about="Channels are terminals (where you are logged in), shells (open in the container), workspace (a file in it),"
    " mail and webhook. Webhooks may only be at the services the admin allows, by https. Your next ds01 command tells"
    " you in any case. With every channel off a warning reaches nobody, and the stop it warns of waits one lead more,"
    " but it comes.",
    idea="You are told where you are: at the terminal when you work, by mail or on the phone when you do not.",
    topics=("time", "containers"),
    guide=(Step("Where should mail go?", asks="--mail"),),
    prints="PreferencesView",
    changes=True,
    related=("notices show", "keep"),
)
