"""Does the document that the server publishes have every field of Google's own?

The discovery documents ship inside google-api-python-client. Each property of a service there must be a property
of the server's schema, and the other way round; what differs is printed, a line each.
"""

import json
import pathlib
import sys
import urllib.request

import googleapiclient


def discovery(version):
    folder = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    return json.loads((folder / f"run.{version}.json").read_text())["schemas"]


def compare(own, theirs, schemas, path, differences):
    theirs = schemas[theirs["$ref"]] if "$ref" in theirs else theirs
    if theirs.get("type") == "array":
        return compare(own.get("items", {}), theirs["items"], schemas, f"{path}[]", differences)
    if "properties" not in theirs:
        return None
    if "properties" not in own:
        return None  # kept as it is, whatever it holds
    mine = own["properties"]
    for name, field in theirs["properties"].items():
        if name in mine:
            compare(mine[name], field, schemas, f"{path}.{name}", differences)
        elif not field.get("readOnly"):
            differences.append(f"lacks {path}.{name}")
    for name in mine.keys() - theirs["properties"].keys():
        differences.append(f"adds {path}.{name}")


def main():
    document = json.load(urllib.request.urlopen(f"http://{sys.argv[1]}/openapi.json"))
    own = document["components"]["schemas"]
    differences = []
    for version, name in (("v1", "Service"), ("v2", "GoogleCloudRunV2Service")):
        compare(own[f"{version}.Service"], {"$ref": name}, discovery(version), version, differences)
    for difference in sorted(set(differences)):
        print(json.dumps(difference))


main()
