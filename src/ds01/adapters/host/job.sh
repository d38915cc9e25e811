#!/bin/sh
# The main process of a job's container, below the engine's init: runs the job's command and ends with its exit code.
#
# The command writes into the job's log in the workspace, as its owner and not through the engine, so that the log is
# whole and stays when the container goes. The engine's init passes SIGTERM to this script alone, which hands it to
# every process and waits for all of them: a training script gets the signal and the full grace, whatever started it. A
# command that was asked to end is never done, whatever code it ends with.
# Needs nothing but a POSIX sh and sleep: it runs in whatever image the user chose.

fail() {
    echo "$1" >&2
    exit "$2"
}

mkdir -p "$DS01_JOB_FOLDER" || fail "DS01: the job's folder $DS01_JOB_FOLDER cannot be made." 74
log=$DS01_JOB_FOLDER/log
if [ "$DS01_JOB_ATTEMPT" -gt 1 ]; then
    echo "--- DS01: started again, attempt $DS01_JOB_ATTEMPT: $DS01_JOB_AGAIN ---" >>"$log"
else
    : >"$log"
fi || fail "DS01: the job's log $log cannot be written." 74
exec >>"$log" 2>&1
unset DS01_JOB_AGAIN
cd "$DS01_JOB_START" || fail "DS01: the job's folder to start in, $DS01_JOB_START, is not there." 74
unset DS01_JOB_START

ending=
finish() {
    ending=1
    kill -TERM -1 2>/dev/null
}

# Whether any process is left but init, this one and its own children (the listing itself).
others() {
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        pid=${line%% *}
        # The name is in brackets and may hold anything: cut at the last one.
        set -- ${line##*) }
        [ "$pid" = 1 ] || [ "$pid" = $$ ] || [ "$2" = $$ ] || [ "$1" = Z ] || return 0
    done
    return 1
}

trap finish TERM INT
"$@" </dev/null &
command=$!
while :; do
    wait "$command"
    code=$?
    kill -0 "$command" 2>/dev/null || break
done
if [ -n "$ending" ]; then
    while others; do sleep 0.05; done
    [ "$code" -eq 0 ] && code=143
fi
exit "$code"
