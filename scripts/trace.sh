#!/usr/bin/env bash
# trace.sh BSS DATA_DIR: `bss trace` on an order that the demonstration has completed: the tree begins with the order and
# holds the product that it made. An id that nobody has is refused by name.
set -euo pipefail
bss=$1 data=$2
gateway=$("$bss" up --json --data-dir "$data" --auto-ports --simulated-clock |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["listeners"]["gateway"])')
read -r order product < <(python3 - "http://$gateway" "$("$bss" token --data-dir "$data" --as csr)" <<'EOF'
import json, sys, urllib.request
address, token = sys.argv[1:]
path = "/tmf-api/productOrderingManagement/v4/productOrder?state=completed&limit=1"
request = urllib.request.Request(address + path, headers={"Authorization": f"Bearer {token}"})
[order] = json.load(urllib.request.urlopen(request))
print(order["id"], order["productOrderItem"][0]["product"]["id"])
EOF
)
tree=$("$bss" trace "$order" --data-dir "$data")
[[ $tree == "ProductOrder "* ]] || { echo "trace: it begins with ${tree%%$'\n'*}" >&2; exit 1; }
[[ $tree == *"$product"* ]] || { echo "trace: product $product is not in the order's tree" >&2; exit 1; }

unknown=00000000-0000-8000-8000-000000000000
status=0
said=$("$bss" trace "$unknown" --data-dir "$data" 2>&1) || status=$?
[ "$status" = 1 ] || { echo "trace: an unknown id ends with $status" >&2; exit 1; }
[[ $said == *"$unknown"* ]] || { echo "trace: an unknown id isn't named in: $said" >&2; exit 1; }
echo "traced order $order to its product, $(wc -l <<<"$tree") lines; an unknown id is refused"
