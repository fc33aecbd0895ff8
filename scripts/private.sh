#!/usr/bin/env bash
# private.sh BSS DATA_DIR OUTPUT FOLDER…: looks for every name, number and raw record of demonstrations (kept in FOLDERs)
# in what they wrote to standard error (OUTPUT), in the stack's log files and in its metrics. Exits with 1 on a hit, which
# it shows by place and line, not by text.
set -euo pipefail
bss=$1 data=$2 output=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for folder in "$@"; do
    cat "$folder"/names.txt <(echo) "$folder"/numbers.txt <(echo) "$folder"/Master-*.csv
done | grep . | sort -u >"$work/private"
ops=$("$bss" up --json --data-dir "$data" --auto-ports --simulated-clock |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["listeners"]["ops"])')
python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())' \
    "http://$ops/metrics" >"$work/metrics"
# A check that has nothing to look for or nothing to look through would never fail.
[ "$(wc -l <"$work/private")" -gt 1000 ] || { echo "private: too little to look for" >&2; exit 1; }
for place in "$output" "$data"/logs/bss.log "$work/metrics"; do
    [ -s "$place" ] || { echo "private: $place is empty" >&2; exit 1; }
done
# JSON escapes quotes, so raw records are looked for in both forms.
sed 's/"/\\"/g' "$work/private" | sort -u - "$work/private" >"$work/patterns"
hits=$(LC_ALL=C grep -FHn -f "$work/patterns" "$output" "$data"/logs/* "$work/metrics" | cut -d: -f1,2 || true)
if [ -n "$hits" ]; then
    echo "private: names, numbers or raw records stand in:" >&2
    echo "$hits" | head -20 >&2
    exit 1
fi
echo "no name, number or raw record among $(wc -l <"$work/private") in logs and metrics"
