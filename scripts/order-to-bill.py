#!/usr/bin/env python3
"""Walks from the catalog to a bill on a running stack, as an outside client of the public HTTP API and of the command.

usage: order-to-bill.py BSS DATA_DIR    (a stack with a simulated clock runs in DATA_DIR)
Exits with 1 at the first thing that isn't as it should be.
"""

import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BSS, DATA_DIR = sys.argv[1:3]
ROOT = pathlib.Path(__file__).resolve().parent.parent
MSISDN = 48500100200


def command(*words, expected=0):
    done = subprocess.run([BSS, *words, "--data-dir", DATA_DIR], capture_output=True, text=True)
    check(done.returncode == expected, f"bss {' '.join(words)}: exit {done.returncode}: {done.stderr}")
    return done.stdout if expected == 0 else done.stderr


def check(holds, what):
    if not holds:
        sys.exit(f"order to bill: {what}")


state = json.loads((pathlib.Path(DATA_DIR) / "state/bss.json").read_text())
BASE = "http://" + state["listeners"]["gateway"]
TOKEN = command("token", "--as", "admin").strip()


def call(method, path, body=None, expected=(200, 201), key=None):
    headers = {"authorization": "Bearer " + TOKEN, "content-type": "application/json"}
    if key:
        headers["idempotency-key"] = key
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    check(status in expected, f"{method} {path}: {status} {text[:500]!r}")
    return json.loads(text)


def until_ended(order):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        order = call("GET", f"/tmf-api/productOrderingManagement/v4/productOrder/{order['id']}")
        if order["state"] in ("completed", "partial", "failed", "rejected"):
            return order
        time.sleep(0.05)
    sys.exit(f"order to bill: the order is still {order['state']} after 30 s")


def offering(name):
    found = call("GET", "/tmf-api/productCatalogManagement/v4/productOffering?name=" + name.replace(" ", "%20"))
    check(len(found) == 1, f"{len(found)} offerings are called {name}")
    return {"id": found[0]["id"]}


def sell(customer, account, *offerings, key):
    body = {
        "relatedParty": [{"id": customer["id"], "role": "customer", "@referredType": "Customer"}],
        "billingAccount": {"id": account["id"]},
        "productOrderItem": [
            {"id": str(number), "action": "add", "productOffering": each} for number, each in enumerate(offerings, 1)
        ],
    }
    path = "/tmf-api/productOrderingManagement/v4/productOrder"
    order = call("POST", path, body, key=key)
    check(call("POST", path, body, key=key)["id"] == order["id"], "the same key gave another order")
    return until_ended(order)


def move_clock(to):
    now = call("POST", "/bss-api/v1/clock", {"now": to.strftime("%Y-%m-%dT%H:%M:%SZ")})["now"]
    print(f"the business clock stands at {now}")


def months_on(now, months, day):
    month = now.month - 1 + months
    return now.replace(year=now.year + month // 12, month=month % 12 + 1, day=day, hour=12)


def catalog_and_customer():
    command("catalog", "import", str(ROOT / "demo/catalog"))
    pool = "/tmf-api/resourceInventoryManagement/v4/resource"
    for number in range(3):
        call("POST", pool, {"category": "msisdn", "value": str(MSISDN + number)})
        call("POST", pool, {"category": "simCard", "value": str(8948010000000000000 + number)})
        call("POST", pool, {"category": "fibrePort", "value": f"OLT-1/{number}"})
    wrong = call("POST", pool, {"category": "msisdn", "value": "12x"}, expected=(400,))
    check("value" in wrong["message"], f"the error names no field: {wrong}")
    person = call("POST", "/tmf-api/party/v4/individual", {"givenName": "Ada", "familyName": "Example"})
    engaged = {"id": person["id"], "@referredType": "Individual"}
    path = "/tmf-api/customerManagement/v4/customer"
    customer = call("POST", path, {"name": "Ada Example", "engagedParty": engaged})
    account = {
        "name": "Ada Example",
        "relatedParty": [{"id": customer["id"], "role": "customer", "@referredType": "Customer"}],
        "currency": "EUR",
        "timeZone": "Europe/Warsaw",
        "cycleDay": 1,
    }
    return customer, call("POST", "/tmf-api/accountManagement/v4/billingAccount", account)


def orders(customer, account):
    order = sell(customer, account, offering("Mobile M"), offering("Fibre 600"), key="order-1")
    check(order["state"] == "completed", f"the order is {order['state']}: {order.get('productOrderErrorMessage')}")
    product = call("GET", f"/tmf-api/productInventory/v4/product/{order['productOrderItem'][0]['product']['id']}")
    number = {each["name"]: each["value"] for each in product["productCharacteristic"]}["msisdn"]
    print(f"order completed: product {product['status']} since {product['startDate']}")
    tree = command("trace", order["id"])
    check(tree.startswith("ProductOrder ") and product["id"] in tree, f"the order's trace lacks its product:\n{tree}")
    traced = json.loads(command("trace", product["id"], "--json"))
    check(traced["type"] == "Product" and traced["id"] == product["id"], f"a product's trace is of it: {traced}")
    unknown = command("trace", "018f0000-0000-8000-8000-000000000000", expected=1)
    check("018f0000-0000-8000-8000-000000000000 doesn't exist" in unknown, f"an unknown id is named: {unknown}")
    rejected = sell(customer, account, {"id": customer["id"]}, key="order-2")
    check(rejected["state"] == "rejected", f"an unknown offering left the order {rejected['state']}")
    return number


def usage(number, month):
    line = (
        '"","{n}","{to}","out","""Ada"" <{n}>","SIP/1","SIP/2","Dial","SIP/2",'
        '"{d} {h}:00:00","{d} {h}:00:05","{d} {h}:{m:02}:05",{total},{billed},"ANSWERED","DOCUMENTATION","{n}.{h}",""\n'
    )
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "Master.csv"
        with path.open("w") as file:
            for hour, to, minutes in ((10, "48221234567", 2), (11, "4915112345678", 10), (12, "48701234567", 1)):
                file.write(
                    line.format(n=number, to=to, d=month, h=hour, m=minutes, total=minutes * 60 + 5, billed=minutes * 60)
                )
            file.write("broken,line\n")
        words = ("import", "cdr", str(path), "--format", "asterisk", "--zone", "Europe/Warsaw", "--json")
        first, again = (json.loads(command(*words))["files"][0] for _ in range(2))
    check(first["accepted"] == 3 and first["rejected"] == 1, f"three good lines and a broken one: {first}")
    check(again["wasDone"], f"the same file was taken twice: {again}")
    print(f"usage: {first['accepted']} accepted, {first['rejected']} rejected, and nothing new the second time")


def main():
    customer, account = catalog_and_customer()
    number = orders(customer, account)
    now = datetime.datetime.fromisoformat(call("GET", "/bss-api/v1/clock")["now"].replace("Z", "+00:00"))
    move_clock(months_on(now, 1, 20))
    usage(number, months_on(now, 1, 15).strftime("%Y-%m-%d"))
    move_clock(months_on(now, 2, 3))
    run = json.loads(command("bill", "run", "--json"))
    print(f"bill run: {json.dumps(run)}")
    check(run["bills"] >= 2 and run["waiting"] == 0, f"two periods were to be billed: {run}")
    repeated = json.loads(command("bill", "run", "--json"))
    check(repeated["bills"] == 0, f"a second run drew up bills again: {repeated}")
    proof = command("ledger", "check")
    check("rated 3" in proof and "rejected 1" in proof, f"three calls were to be rated and one line rejected:\n{proof}")
    print(proof, end="")


main()
