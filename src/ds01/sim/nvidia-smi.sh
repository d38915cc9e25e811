#!/bin/sh
# Stands in for nvidia-smi in a container with simulated GPUs. Needs nothing but a POSIX shell.
# DS01_SIMULATED_GPUS holds one record per leased device, "name|uuid|MiB|profile", joined with ";".
set -u

loud() { printf '%s\n' "nvidia-smi: SIMULATED GPUs (DS01): nothing computes on them" >&2; }
die() { printf '%s\n' "$2" >&2; exit "$1"; }

# each FUNCTION [ARG…]: calls it as FUNCTION number name uuid mib profile [ARG…] for every wanted device
each() {
    each_call=$1; shift
    each_rest=${DS01_SIMULATED_GPUS:-}; each_n=0
    while [ -n "$each_rest" ]; do
        each_one=${each_rest%%;*}
        case $each_rest in *";"*) each_rest=${each_rest#*;} ;; *) each_rest= ;; esac
        each_name=${each_one%%|*}; each_one=${each_one#*|}
        each_uuid=${each_one%%|*}; each_one=${each_one#*|}
        each_mib=${each_one%%|*}; each_profile=${each_one#*|}
        if [ -z "$only" ] || [ "$only" = "$each_n" ] || [ "$only" = "$each_uuid" ]; then
            "$each_call" "$each_n" "$each_name" "$each_uuid" "$each_mib" "$each_profile" "$@"
        fi
        each_n=$((each_n + 1))
    done
    total=$each_n
}

title() { case $2 in full) printf '%s' "$1" ;; *) printf '%s MIG %s' "$1" "$2" ;; esac; }

list_one() { printf 'GPU %s: %s [SIMULATED] (UUID: %s)\n' "$1" "$(title "$2" "$5")" "$3"; }

table_one() {
    printf "| $columns |\n" "$1" "$(title "$2" "$5")" "0%" "0MiB / $4MiB"
    printf '|      %-70.70s |\n' "$3"
}

table() {
    columns='%3s  %-42.42s %5s  %20s'
    line='+-----------------------------------------------------------------------------+'
    printf '%s\n' "$line"
    printf '| %-75s |\n' "SIMULATED GPUs by DS01: not real, nothing computes on them"
    printf '%s\n' "$line"
    printf "| $columns |\n" GPU Name Util Memory
    printf '%s\n' "$line"
    each table_one
    printf '%s\n' "$line"
    printf '| %-75s |\n' "No running processes found (SIMULATED)"
    printf '%s\n' "$line"
}

# value FIELD number name uuid mib profile: sets $shown, and $unit
value() {
    unit=
    case $1 in
        index) shown=$2 ;;
        name | gpu_name) shown=$(title "$3" "$6") ;;
        uuid | gpu_uuid) shown=$4 ;;
        memory.total | memory.free) shown=$5; unit=MiB ;;
        memory.used) shown=0; unit=MiB ;;
        utilization.gpu | utilization.memory) shown=0; unit=% ;;
        temperature.gpu) shown=35 ;;
        power.draw) shown=0.00; unit=W ;;
        count) shown=$total ;;
        driver_version) shown=simulated ;;
        mig.mode.current) case $6 in full) shown=Disabled ;; *) shown=Enabled ;; esac ;;
        *) return 1 ;;
    esac
}

header_unit() {
    case $1 in
        memory.*) printf ' [MiB]' ;;
        utilization.*) printf ' [%%]' ;;
        power.*) printf ' [W]' ;;
    esac
}

split() { old_ifs=$IFS; IFS=,; set -f; set -- $1; set +f; IFS=$old_ifs; fields=; for split_f; do fields="$fields ${split_f# }"; done; }

row() {
    row_out=
    for row_f in $fields; do
        value "$row_f" "$1" "$2" "$3" "$4" "$5" || exit 2
        if [ -n "$unit" ] && [ "$units" = yes ]; then shown="$shown $unit"; fi
        row_out="$row_out${row_out:+, }$shown"
    done
    printf '%s\n' "$row_out"
}

nothing() { :; }

query() {
    split "$1"
    [ -n "$fields" ] || die 2 'No fields to query.'
    for query_f in $fields; do
        value "$query_f" 0 - - - full || die 2 "Field \"$query_f\" is not a valid field to query (SIMULATED nvidia-smi)."
    done
    if [ "$header" = yes ]; then
        query_out=
        for query_f in $fields; do
            query_u=; [ "$units" = no ] || query_u=$(header_unit "$query_f")
            query_out="$query_out${query_out:+, }$query_f$query_u"
        done
        printf '%s\n' "$query_out"
    fi
    each row
}

format() {
    case ",$1," in *,csv,*) ;; *) die 2 "Only --format=csv[,noheader][,nounits] is simulated." ;; esac
    case ",$1," in *,noheader,*) header=no ;; esac
    case ",$1," in *,nounits,*) units=no ;; esac
}

usage() {
    printf '%s\n' "nvidia-smi: SIMULATED by DS01" \
        "  nvidia-smi                                   the leased devices as a table" \
        "  nvidia-smi -L                                one line for each" \
        "  nvidia-smi --query-gpu=FIELDS --format=csv[,noheader][,nounits]" \
        "     FIELDS: index,name,uuid,memory.total,memory.used,memory.free,utilization.gpu,utilization.memory," \
        "             temperature.gpu,power.draw,count,driver_version,mig.mode.current" \
        "  nvidia-smi -i NUMBER                         one device"
}

only=; total=0; header=yes; units=yes; act=table; asked=
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --version) printf '%s\n' "NVIDIA-SMI version: simulated by DS01"; exit 0 ;;
        -L | --list-gpus) act=list ;;
        -i | --id) [ $# -gt 1 ] || die 2 "-i needs the number of a device."; only=$2; shift ;;
        --id=*) only=${1#*=} ;;
        --query-gpu=*) act=query; asked=${1#*=} ;;
        --query-gpu) [ $# -gt 1 ] || die 2 "--query-gpu needs fields."; act=query; asked=$2; shift ;;
        --format=*) format "${1#*=}" ;;
        --format) [ $# -gt 1 ] || die 2 "--format needs a value."; format "$2"; shift ;;
        *) die 2 "'$1' is not simulated. Try nvidia-smi --help." ;;
    esac
    shift
done

loud
[ -n "${DS01_SIMULATED_GPUS:-}" ] || die 6 "No devices were found"
each nothing
case $act in
    list) each list_one ;;
    query) query "$asked" ;;
    table) table ;;
esac
