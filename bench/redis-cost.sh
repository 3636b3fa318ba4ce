#!/usr/bin/env bash
# What one session costs Redis: bytes of memory, and CPU time per operation, with the very scripts of the session store. Needs redis-server, redis-cli, redis-benchmark. About 2 minutes.
#
#   bench/redis-cost.sh [sessions, 100000 by default]
#
# "CPU" is what the whole process has used, user and system, per operation; "script" is the time inside EVALSHA by the clock, with the pauses of a busy machine. Commands come from 50 connections with one under way
# on each, the dearest way, except where it says "pipelined": redis-benchmark cannot count versions, and a pipeline's CPU holds little of the network. Endings come from 4 connections.
set -euo pipefail
sessions=${1:-100000}
source=$(dirname "${BASH_SOURCE[0]}")/../src/Affinity.Middleware/Backends/Redis/RedisSessionScripts.cs
dir=$(mktemp -d) port=$((20000 + RANDOM % 10000)) server='' listeners=()
channel=affinity:shop:stale prefix=affinity:shop:s:0000000000000000000000000000000 none=0000000000000000 stamp=00000000000000a mark=abcdefgh
trap 'kill "${listeners[@]}" $server 2>/dev/null || true; wait; rm -rf "$dir"' EXIT

cli() { redis-cli -p "$port" "$@"; }
info() { cli info all | tr -d '\r' | awk -F: -v name="$1" '$1 == name { print $2 }'; }
script() { # name: the C# constant, behind the prelude
    awk -v name="$1" '
        /const string Prelude = """/ { on = 1; next }
        $0 ~ "const string " name " = Prelude" { on = 1; next }
        /^ *""";/ { on = 0 }
        on { sub(/^        /, ""); print }' "$source" | cli -x script load
}
start() {
    [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
    redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$dir" >/dev/null &
    server=$!
    until cli ping >/dev/null 2>&1; do sleep 0.1; done
    read=$(script Read) write=$(script Write) touch=$(script Touch) delete=$(script Delete)
    cli config resetstat >/dev/null
}
usage() { cli info all | tr -d '\r' | awk -F'[:=,]' '
    /^used_cpu_(sys|user):/ { cpu += $2 } /^cmdstat_evalsha:/ { calls = $3; usec = $5 } /^total_net_input_bytes:/ { i = $2 } /^total_net_output_bytes:/ { o = $2 }
    END { printf "%.0f %.0f %.0f %.0f %.0f\n", cpu * 1e6, calls, usec, i, o }'; }
measure() { # name, then what to run
    local name=$1 before after
    shift
    before=$(usage); "$@" >/dev/null; after=$(usage)
    echo "$before $after" | awk -v name="$name" '{ n = $7 - $2; printf "| %-34s | %8d | %6.1f | %6.1f | %8.0f | %8.0f |\n", name, n, ($6 - $1) / n, ($8 - $3) / n, ($9 - $4) / n, ($10 - $5) / n }'
}
many() { redis-benchmark -p "$port" -q -c 50 -n "$sessions" -r "$sessions" "$@"; } # a later -r counts
pipeline() { # words after the key, one EVALSHA per session: $1 hash, rest arguments
    awk -v n="$sessions" -v prefix="$prefix" 'BEGIN {
        out = ""; for (i = 2; i < ARGC; i++) out = out "$" length(ARGV[i]) "\r\n" ARGV[i] "\r\n"
        for (i = 0; i < n; i++) printf "*%d\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$1\r\n1\r\n$%d\r\n%s%012d\r\n%s", ARGC + 2, ARGV[1], length(prefix) + 12, prefix, i, out
    }' "$@" | cli --pipe
}
change() { pipeline "$write" "$1" "$2" "$3" "$4" 0 1200000 43200000 "$payload" 16 "$channel" "" $mark; } # expected, next

for bytes in 200 1024 10240; do
    payload=$(printf '%*s' "$bytes" '' | tr ' ' x)
    start
    empty=$(info used_memory)
    printf '\n%s bytes stored, %s sessions\n| %-34s | %8s | %6s | %6s | %8s | %8s |\n|---|---|---|---|---|---|\n' "$bytes" "$sessions" operation n 'CPU µs' 'script' 'bytes in' out
    measure 'first write (pipelined)' change 0 $none 1 ${stamp}1
    full=$(info used_memory) one=$(cli memory usage "${prefix}000000000000" samples 0)
    measure 'write (pipelined)' change 1 ${stamp}1 2 ${stamp}2
    measure 'read, unchanged' many EVALSHA "$read" 1 "${prefix}__rand_int__" 2 ${stamp}2 $mark
    measure 'read, whole' many EVALSHA "$read" 1 "${prefix}__rand_int__" 0 $none $mark
    measure 'first write' many -r 2000000000 EVALSHA "$write" 1 "${prefix}__rand_int__" 0 $none 1 ${stamp}1 0 1200000 43200000 "$payload" 16 $channel "" $mark
    measure 'touch' many EVALSHA "$touch" 1 "${prefix}__rand_int__" 1200000 $mark
    for ((i = 2; i < 17; i++)); do # the version behind stamp …a2 is 2
        cli evalsha "$write" 1 "${prefix}000000000000" $i "$(printf %016x $((160 + i)))" $((i + 1)) "$(printf %016x $((161 + i)))" 0 1200000 43200000 "$payload" 16 $channel "" $mark >/dev/null
    done
    many_writes=$(cli memory usage "${prefix}000000000000" samples 0)
    pipeline "$delete" 1200000 $channel $mark >/dev/null
    ended=$(cli memory usage "${prefix}000000000001" samples 0)
    awk -v f="$full" -v e="$empty" -v n="$sessions" -v one="$one" -v w="$many_writes" -v d="$ended" 'BEGIN {
        printf "Memory per session: %.0f bytes of used_memory (MEMORY USAGE: %d after the first write, %d after 16 or more, %d when ended)\n", (f - e) / n, one, w, d }'
done

echo
for count in 0 10 100; do
    while [ "${#listeners[@]}" -lt "$count" ]; do
        redis-cli -p "$port" subscribe $channel >/dev/null &
        listeners+=($!)
    done
    until [ "$(cli pubsub numsub $channel | tail -1)" = "$count" ]; do sleep 0.1; done
    measure "ending, $count nodes listen" redis-benchmark -p "$port" -q -c 4 -n 20000 -r 2000000000 EVALSHA "$delete" 1 "${prefix}__rand_int__" 1200000 $channel $mark
done
