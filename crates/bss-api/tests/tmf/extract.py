"""Writes the definitions that our resources need out of TM Forum's published specifications.

    python3 extract.py FOLDER_OF_THE_SPECIFICATIONS

One file an API, one line a definition; descriptions, examples and defaults are left out, everything that a document is
judged by stays as it was published.
"""

import glob
import json
import re
import sys
from pathlib import Path

KINDS = {
    "TMF620": ["Category", "ProductSpecification", "ProductOffering", "ProductOfferingPrice"],
    "TMF622": ["ProductOrder", "CancelProductOrder"],
    "TMF629": ["Customer"],
    "TMF632": ["Individual", "Organization"],
    "TMF633": ["ServiceSpecification"],
    "TMF634": ["ResourceSpecification"],
    "TMF635": ["Usage"],
    "TMF637": ["Product"],
    "TMF638": ["Service"],
    "TMF639": ["Resource"],
    "TMF641": ["ServiceOrder"],
    "TMF666": ["BillingAccount"],
    "TMF676": ["Payment", "Refund"],
    "TMF678": ["CustomerBill", "AppliedCustomerBillingRate"],
}
WORDS = ("description", "example", "examples", "default")


def judged(value):
    """A definition without words. An attribute may be called like one of them: then it is an object."""
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if name not in WORDS or isinstance(inner, dict)}
        return {name: judged(inner) for name, inner in kept.items()}
    return [judged(inner) for inner in value] if isinstance(value, list) else value


def needed(definitions, kinds):
    """These definitions and all that they refer to."""
    found, sought = {}, list(kinds)
    while sought:
        kind = sought.pop()
        if kind not in found:
            found[kind] = judged(definitions[kind])
            sought += re.findall(r'"#/definitions/([^"]+)"', json.dumps(found[kind]))
    return dict(sorted(found.items()))


for api, kinds in KINDS.items():
    (path,) = glob.glob(f"{sys.argv[1]}/{api}-*.swagger.json")
    specification = json.loads(Path(path).read_text())
    info = specification["info"]
    lines = [f"{json.dumps(kind)}: {json.dumps(text)}" for kind, text in needed(specification["definitions"], kinds).items()]
    head = f'"title": {json.dumps(info["title"])},\n"version": {json.dumps(info["version"])},\n'
    target = Path(__file__).parent / f"{api}.json"
    target.write_text("{\n" + head + '"definitions": {\n' + ",\n".join(lines) + "\n}\n}\n")
