#!/usr/bin/env bash
# Real Kestrel, real redis-server, wrk: an app without a session, the framework's session in process and in Redis, and Affinity, side by side in one run. Needs redis-server and wrk.
#
#   bench/load.sh            all settings, about 40 minutes; the tables also go to bench/results/load.md
#   bench/load.sh --quick    one short round of each: about 4 minutes, rough; to standard output only
#   bench/load.sh stores     Affinity with each store side by side, about 25 minutes; also to bench/results/stores.md. Needs PostgreSQL as well. Takes --quick too
#   --rounds n  --seconds n  --bytes n
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/prepare.sh
case " $* " in
    *" --quick "*) exec "${bench[@]}" "$@" ;;
esac
mkdir -p bench/results
case "${1:-}" in
    stores) "${bench[@]}" "$@" | tee bench/results/stores.md; exit ;;
esac
"${bench[@]}" "$@" | tee bench/results/load.md
