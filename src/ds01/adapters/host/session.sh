#!/bin/sh
# The main process of every DS01 container, below the engine's init.
#
# It keeps the container up without a command of its own. When the container is stopped, the engine's init passes
# SIGTERM here and ends with this script, taking everything with it; so this script first hands SIGTERM to every
# process and waits for them: a training script started from any shell gets the signal and the full grace time.
# An interactive shell ignores SIGTERM. Once it has nothing left to run it gets SIGHUP, which ends it.
# Needs nothing but a POSIX sh and sleep: it runs in whatever image the user chose.

# Prints "pid ppid session tty" of every process but init, this one and its own children (the listing itself).
others() {
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        pid=${line%% *}
        # The name is in brackets and may hold anything: cut at the last one.
        set -- ${line##*) }
        [ "$pid" = 1 ] || [ "$pid" = $$ ] || [ "$2" = $$ ] || [ "$1" = Z ] || echo "$pid $2 $4 $5"
    done
}

# Ends the interactive shells of a listing that have no children: session leaders on a terminal.
end_idle_shells() {
    parents=" $(echo "$1" | while read -r _ parent _; do printf '%s ' "$parent"; done)"
    echo "$1" | while read -r pid _ session tty; do
        [ "$pid" = "$session" ] && [ "$tty" != 0 ] || continue
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
