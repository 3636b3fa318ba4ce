#!/usr/bin/env bash
# How Affinity's cost grows: 1, 2 and 4 nodes, 1 to 100,000 live sessions, 200 bytes to 256 KB per session. Needs redis-server and wrk.
# Writes scaling.csv and scaling.svg.
#
#   bench/scaling.sh                         to bench/results
#   bench/scaling.sh --quick                 fewer points, one short round, to a temporary folder: rough
#   bench/scaling.sh --plot                  draws bench/results/scaling.svg again from the CSV
#   --rounds n  --seconds n
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/prepare.sh
results=bench/results
case " $* " in
    *" --plot "*) exec "${bench[@]}" plot "$results/scaling.csv" "$results/scaling.svg" ;;
    *" --quick "*) results=$(mktemp -d) ;;
esac
"${bench[@]}" scaling "$results" "$@"
echo "$results/scaling.csv and $results/scaling.svg"
