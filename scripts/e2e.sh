#!/usr/bin/env bash
# The stack as an operator drives it: up, up again, what runs, two months of the demonstration, what its logs hold,
# down. In a folder of its own (with a space in its name) and on free ports; everything is stopped and removed however
# it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
bss="${BSS_BIN:-$PWD/target/release/bss}"
# The variables of bss are its settings, and this is none.
unset BSS_BIN
dir=$(mktemp -d "/tmp/bss e2e.XXXXXX")
chmod 755 "$dir"
finish() {
    "$bss" down --data-dir "$dir/data" --data || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM
"$bss" up --data-dir "$dir/data" --auto-ports --simulated-clock
"$bss" up --data-dir "$dir/data" --auto-ports --simulated-clock
"$bss" ps --data-dir "$dir/data"
# A port that is moved names the issuer anew: the token is of the stack that runs.
"$bss" token --data-dir "$dir/data" --as csr >/dev/null

# The second run goes on with the next month, and the catalog is there already, commas in names and all.
demo=("$bss" demo --data-dir "$dir/data" --customers 20 --records 2000)
"${demo[@]}" --keep "$dir/month 1" 2> >(tee "$dir/demo.log" >&2)
"${demo[@]}" --if-new
"${demo[@]}" --keep "$dir/month 2" 2> >(tee -a "$dir/demo.log" >&2)
"$bss" catalog import demo/catalog --data-dir "$dir/data" --json |
    python3 -c 'import json, sys; made = json.load(sys.stdin)["created"]; sys.exit(made and f"the catalog import made {made} items again")'
scripts/trace.sh "$bss" "$dir/data"
"$bss" ledger check --data-dir "$dir/data"
scripts/private.sh "$bss" "$dir/data" "$dir/demo.log" "$dir/month 1" "$dir/month 2"
