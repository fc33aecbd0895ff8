#!/usr/bin/env bash
# The console's journeys in a real browser: a stack on free ports with the demonstration's customers, in a folder of
# its own; everything is stopped and removed however it ends. BSS_BIN names another binary than the released one.
set -euo pipefail
cd "$(dirname "$0")/.."
bss="${BSS_BIN:-$PWD/target/release/bss}"
# The variables of bss are its settings, and this is none.
unset BSS_BIN
dir=$(mktemp -d "/tmp/bss journeys.XXXXXX")
chmod 755 "$dir"
finish() {
    "$bss" down --data-dir "$dir/data" --data || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM
"$bss" up --data-dir "$dir/data" --auto-ports --simulated-clock
"$bss" demo --data-dir "$dir/data" --customers "${BSS_JOURNEY_CUSTOMERS:-20}" --records "${BSS_JOURNEY_RECORDS:-2000}"
gateway=$("$bss" up --json --data-dir "$dir/data" --auto-ports --simulated-clock |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["listeners"]["gateway"])')
BSS_BASE_URL="http://$gateway" BSS_SIGN_IN_FILE="$dir/data/secrets/sign-in" \
    scripts/console.sh npm run e2e:journeys
