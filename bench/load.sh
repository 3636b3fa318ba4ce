#!/usr/bin/env bash
# Real Kestrel, real redis-server, wrk: an app without a session, the framework's session in process and in Redis, and Affinity, side by side in one run. Needs redis-server and wrk.
#
#   bench/load.sh            all settings, about 40 minutes; the tables also go to bench/results/load.md
#   bench/load.sh --quick    one short round of each: about 4 minutes, rough; to standard output only
#   --rounds n  --seconds n  --bytes n
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. bench/prepare.sh
case " $* " in
    *" --quick "*) exec "${bench[@]}" "$@" ;;
esac
mkdir -p bench/results
"${bench[@]}" "$@" | tee bench/results/load.md
