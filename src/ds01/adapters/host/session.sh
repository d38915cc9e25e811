#!/bin/sh
# The main process of every DS01 container, below the engine's init.
#
# It keeps the container up without a command of its own. When the container is stopped, the engine's init passes
# SIGTERM here and ends with this script, taking everything with it; so this script first hands SIGTERM to every
# process and waits for them: a training script started from any shell gets the signal and the full grace time.
# An interactive shell ignores SIGTERM. Once it has nothing left to run it gets SIGHUP, which ends it.
# Needs nothing but a POSIX sh and sleep: it runs in whatever image the user chose.
#
# Called with "begin PROGRAM…" by the guard, as the container's first process: descriptor 3 is the terminal of whoever
# launches. A shell begins on it, and this process becomes the program, the engine's init, which reaps the shell.
# Without a setsid that forks (util-linux) none begins: the terminal is closed, by which the command line knows.

if [ "$1" = begin ]; then
    shift
    # Not begun with "&": what is, ignores Ctrl-C, and so would all that is started from it. What another setsid says
    # of options it does not know is nothing to show.
    [ -t 3 ] && setsid -f -c "$0" shell <&3 >&3 2>/dev/null 3>&-
    exec "$@" 3>&-
fi

# Leads the session of that shell, and says at its end how it ended, in a sequence that terminals ignore.
if [ "$1" = shell ]; then
    exec 2>&1
    trap : TERM
    if command -v bash >/dev/null 2>&1; then bash; else sh; fi
    printf '\033]7301;%d\007' $?
    exit
fi

# Prints "pid ppid session tty kind" of every process but init, this one and its own children (the listing itself).
others() {
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        pid=${line%% *}
        # The name is in brackets and may hold anything: cut at the last one.
        case $line in *" (session) "*) kind=leads ;; *) kind=program ;; esac
        set -- ${line##*) }
        [ "$pid" = 1 ] || [ "$pid" = $$ ] || [ "$2" = $$ ] || [ "$1" = Z ] || echo "$pid $2 $4 $5 $kind"
    done
}

# Ends the interactive shells of a listing that have no children: on a terminal, session leaders or those of one.
end_idle_shells() {
    parents=" $(echo "$1" | while read -r _ parent _; do printf '%s ' "$parent"; done)"
    leaders=" $(echo "$1" | while read -r pid _ _ _ kind; do [ "$kind" = program ] || printf '%s ' "$pid"; done)"
    echo "$1" | while read -r pid parent session tty _; do
        [ "$tty" != 0 ] || continue
        case $leaders in *" $parent "*) ;; *) [ "$pid" = "$session" ] || continue ;; esac
        case $parents in *" $pid "*) ;; *) kill -HUP "$pid" 2>/dev/null ;; esac
    done
}

finish() {
    trap '' TERM
    kill -TERM -1 2>/dev/null
    while left=$(others) && [ -n "$left" ]; do
        end_idle_shells "$left"
        sleep 0.05
    done
    exit 0
}

trap finish TERM INT
while :; do
    sleep 2147483 &
    wait $!
done
