#!/usr/bin/env bash
# Builds everything once and runs the tests. Works from any folder, on a fresh clone and again.
#
#   ./test.sh              everything
#   ./test.sh unit         what needs no server: tests/Affinity.Middleware.Tests
#   ./test.sh server       what starts real servers and processes: tests/Affinity.Middleware.ServerTests, the faults, the balancers and the newest Redis client
#   ./test.sh faults       of those, real faults: tests/Affinity.Middleware.FaultTests, which ends with a table of what was lost and told
#   ./test.sh balancers    of those, real balancers: tests/Affinity.Middleware.BalancerTests, which ends with a table of what was measured
#
# The servers that tests need are installed when they are missing (apt, as root or by sudo without a password) and never started as
# services. The last line is "N passed, N failed", with ", N skipped" if some were: a missing server skips its tests, and fails them with
# CI=true. A build that fails, a test process that crashes or does not end, and with CI=true a file left in the repository count as one
# failure each; the compilation against the newest Redis client counts as one check. Exit code 0 only if something ran and nothing failed.
#
#   TEST_MINUTES=30        how long one test project may take
set -euo pipefail

CONFIGURATION=Release # what is tested is what ships
SERVERS=(redis-server haproxy nginx caddy apache2:apache2-bin varnishd:varnish initdb:postgresql) # program, or program:package

cd "$(dirname "${BASH_SOURCE[0]}")"
exec </dev/null

# What configures the developer's apps must not configure the tests, in whatever spelling the host reads.
mapfile -t noise < <(awk 'BEGIN { for (name in ENVIRON) print name }' |
    grep -iE '^((DOTNET_|ASPNETCORE_)?(Affinity|ConnectionStrings|Logging|Kestrel|DataProtection)(__|:)|ASPNETCORE_|DOTNET_(ENVIRONMENT|URLS|CONTENTROOT|HTTPS?_PORTS)$|(URLS|HTTPS?_PORTS|UPDATE_PUBLIC_API|UPDATE_BALANCER_DOCS)$)' || true)
if [ ${#noise[@]} -gt 0 ]; then
    echo "Left out of the environment: ${noise[*]}"
    exec env "${noise[@]/#/--unset=}" "$BASH" ./test.sh "$@"
fi

case "${1:-}" in
    "") projects=(Affinity.Middleware.Tests Affinity.Middleware.ServerTests Affinity.Middleware.FaultTests Affinity.Middleware.BalancerTests) ;;
    unit) projects=(Affinity.Middleware.Tests) ;;
    server) projects=(Affinity.Middleware.ServerTests Affinity.Middleware.FaultTests Affinity.Middleware.BalancerTests) ;;
    faults) projects=(Affinity.Middleware.FaultTests) ;;
    balancers) projects=(Affinity.Middleware.BalancerTests) ;;
    *) echo "usage: ./test.sh [unit|server|faults|balancers]" >&2; exit 2 ;;
esac
scope=${1:-all}

passed=0 failed=0 skipped=0 child='' check='' policy='' compiler='' finished=''
work=$(mktemp -d)
chmod 711 "$work" # a server may run as another user

finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ -n "$child" ]; then
        kill "$child" 2>/dev/null || true # timeout passes it on to all that it started
        wait "$child" || true
    fi
    if [ -n "$check" ]; then
        kill "$check" 2>/dev/null || true
        wait "$check" || true
    fi
    [ -z "$policy" ] || as_root rm -f "$policy"
    end_compiler
    rm -rf "$work"
    if [ -z "$finished" ]; then
        echo "test.sh ended early (exit code $code)."
        failed=$((failed + 1))
    fi
    [ "$((passed + failed))" -gt 0 ] || echo "No test ran."
    echo "$passed passed, $failed failed$([ "$skipped" -eq 0 ] || echo ", $skipped skipped")"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && exit 0
    exit 1
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Nothing that a build starts outlives this run, and nobody's language changes what tools say. The projects share one compiler, warm after the first of them: it halves the build.
# Test processes live for seconds to minutes: what the runtime measures in order to be faster later is a quarter of what they cost.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=true SharedCompilationId=affinity-tests-$$ DOTNET_CLI_USE_MSBUILD_SERVER=0 \
    DOTNET_TieredPGO=0 DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false DOTNET_CLI_UI_LANGUAGE=en

say() { echo "[$(date +%T)] $*"; }

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

# Debian keeps servers in sbin, which is not on every user's PATH, and each version of PostgreSQL in a folder of its own.
is_here() { PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin$(printf ':%s' /usr/lib/postgresql/*/bin)" command -v "$1" >/dev/null; }

# By the name that is this run's own: compilers of others go on. (One that is left, after a SIGKILL, ends by itself when it has had nothing to do for ten minutes.)
end_compiler() {
    local folder
    [ -n "$compiler" ] || return 0
    compiler=
    folder=$(dotnet msbuild src/Affinity.Middleware/Affinity.Middleware.csproj -getProperty:RoslynTargetsPath 2>/dev/null)/bincore
    if [ -x "$folder/VBCSCompiler" ]; then
        "$folder/VBCSCompiler" -shutdown "-pipename:$SharedCompilationId" >/dev/null 2>&1 || true
    else
        dotnet "$folder/VBCSCompiler.dll" -shutdown "-pipename:$SharedCompilationId" >/dev/null 2>&1 || true
    fi
}

install_servers() {
    local missing=() server program
    for server in "${SERVERS[@]}"; do is_here "${server%%:*}" || missing+=("${server#*:}"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null || ! as_root true 2>/dev/null; then
        say "Not installed: ${missing[*]}. Install them with this system's package manager, or run once as a user who may use apt-get."
        return 0
    fi

    say "installing ${missing[*]}"
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        # 101 forbids: tests start servers of their own, on ports of their own.
        policy=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    as_root apt-get update -qq || say "apt-get update failed; trying with the lists that are here"
    for program in "${missing[@]}"; do
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$program" >"$work/apt.log" 2>&1 ||
            { tail -n 20 "$work/apt.log"; say "$program could not be installed"; }
    done
    [ -z "$policy" ] || as_root rm -f "$policy"
    policy=
}

# Runs a command with a limit of minutes, so that an interrupt is answered at once and nothing that it started outlives it.
limited() {
    local minutes=$1 code=0
    shift
    timeout --kill-after=30 "${minutes}m" "$@" &
    child=$!
    wait "$child" || code=$?
    child=
    [ "$code" -ne 124 ] && [ "$code" -ne 137 ] || say "not ended after $minutes minutes: $1 $2"
    return "$code"
}

# One attribute of the counters of a result file.
counter() { sed -n "s/.*<Counters [^>]*\b$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1; }

run_project() {
    local name=$1 code=0 total=0 ran=0 ok=0 bad=0 seconds=$SECONDS
    local results="$work/$1.trx" temp="$work/$1"
    mkdir -m 711 "$temp"
    say "$name"
    TMPDIR=$temp BALANCER_TABLE=$work/balancers.md FAULT_TABLE=$work/faults.md limited "${TEST_MINUTES:-30}" dotnet test tests/"$name"/bin/$CONFIGURATION/*/"$name".dll \
        --blame-hang-timeout 5m --blame-hang-dump-type none \
        --logger "console;verbosity=minimal" --logger "trx;LogFileName=$results" --results-directory "$work" || code=$?
    if [ -s "$results" ]; then
        total=$(counter "$results" total) ran=$(counter "$results" executed) ok=$(counter "$results" passed)
        bad=$((${ran:-0} - ${ok:-0}))
    fi
    # A crash or a test that hangs leaves results of what ran before it, a test process that does not end leaves none.
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
        say "$name ended with code $code and without a failed test"
        bad=1
    fi
    passed=$((passed + ${ok:-0})) failed=$((failed + bad)) skipped=$((skipped + ${total:-0} - ${ran:-0}))
    say "$name: ${ok:-0} passed, $bad failed, $((${total:-0} - ${ran:-0})) skipped in $((SECONDS - seconds)) s"
}

# A check that runs beside the first tests, which leave processors idle; what it says is shown when it has ended.
begin_check() {
    check_name=$1
    shift
    say "$check_name, beside the tests"
    timeout --kill-after=30 10m "$@" >"$work/check.log" 2>&1 &
    check=$!
}

end_check() {
    local result=passed
    [ -n "$check" ] || return 0
    wait "$check" || result="failed with code $?"
    check=
    cat "$work/check.log"
    if [ "$result" = passed ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    say "$check_name: $result"
    end_compiler
}

# Told of by git, also when the folder belongs to another user than this one; nothing outside of a clone.
tree_state() { [ ! -e .git ] || git -c safe.directory="$PWD" status --porcelain --untracked-files=all; }

check_tree() {
    local now
    now=$(tree_state)
    [ "$now" != "$1" ] || return 0
    say "The run has changed the repository's folder:"
    diff <(echo "$1") <(echo "$now") | sed -n 's/^[<>]/    &/p' || true # diff says by 1 that there is a difference
    if [ "${CI:-}" = true ]; then failed=$((failed + 1)); fi
}

command -v dotnet >/dev/null || { say "The .NET SDK of global.json is not installed: https://dot.net"; exit 1; }
before=$(tree_state)

if [ "$scope" != unit ]; then
    install_servers
    say "restoring tools"
    limited 10 dotnet tool restore || say "The tools could not be restored; tests that need them will say so."
fi

seconds=$SECONDS
say "building ($CONFIGURATION)"
compiler=running
if limited 20 dotnet build Affinity.sln -c $CONFIGURATION -v quiet --nologo; then
    say "built in $((SECONDS - seconds)) s"
    if { [ "$scope" = all ] || [ "$scope" = server ]; } && [ -f tests/compile-newest-redis-client.sh ]; then
        begin_check "compiling against the newest Redis client" sh tests/compile-newest-redis-client.sh
        [ "$scope" = all ] || end_check # beside the servers' tests nothing runs: some of them measure
    else
        end_compiler
    fi
    for project in "${projects[@]}"; do
        run_project "$project"
        end_check
    done
    for table in faults balancers; do if [ -s "$work/$table.md" ]; then cat "$work/$table.md"; fi; done
    check_tree "$before"
else
    say "the build failed"
    failed=$((failed + 1))
fi
finished=yes
