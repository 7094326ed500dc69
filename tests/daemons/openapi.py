"""The OpenAPI document is held against the daemon that serves it: nothing in it that is not there, nothing there that is not in it."""
import glob
import json
import os
import re

from lab import Lab, check

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "registry")
METHODS = ("get", "post", "delete", "put", "patch")


def _references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for v in value.values():
            yield from _references(v)
    elif isinstance(value, list):
        for v in value:
            yield from _references(v)


def the_document_and_the_routes_agree(binaries):
    with Lab(binaries, ["ada"]) as lab:
        key = {"X-API-Key": lab.keys["ada"]}
        status, document = lab.request("GET", "/api/openapi.json")
        check(status == 200 and document["openapi"].startswith("3.1."), "it is served to everybody", status)
        with open(os.path.join(SOURCES, "openapi.json"), encoding="utf-8") as f:
            check(document == json.load(f), "as it stands in the tree")
        for reference in set(_references(document)):
            part = document
            for name in reference.removeprefix("#/").split("/"):
                part = part.get(name, {})
            check(part, f"{reference} is there")
        for path, item in document["paths"].items():
            operations = {m: o for m, o in item.items() if m in METHODS}
            check(all("responses" in o and o["responses"] and "summary" in o for o in operations.values()), f"{path}: every operation has a summary and answers")
            named = set(re.findall(r"{(\w+)}", path))
            check(named == {p["name"] for p in item.get("parameters", []) if p["in"] == "path"}, f"{path}: its parameters are described", named)
            at = re.sub(r"{\w+}", "nobody", path)
            for method in operations:
                status, body = lab.request(method.upper(), at, b"{}" if method == "post" else None, key)
                unknown = status == 404 and not named and not (isinstance(body, dict) and "skill" in body)
                check(status not in (405, 500, 501) and not unknown, f"{method.upper()} {path} exists", (status, body))
                described = operations[method]["responses"]
                check(str(status) in described or path == "/api/registry/route" and status == 400, f"{method.upper()} {path}: {status} is described", (status, body))
                if status >= 400 and path != "/ws":
                    check(isinstance(body, dict) and ("error" in body or "reasons" in body), f"{method.upper()} {path}: an error is JSON", body)
                open_to_all = operations[method].get("security") == []
                status, _ = lab.request(method.upper(), at, b"{}" if method == "post" else None)
                check((status != 401) == open_to_all, f"{method.upper()} {path}: who may is described", status)
            for method in METHODS:
                if method in operations:
                    continue
                status, body = lab.request(method.upper(), at, b"{}" if method != "delete" else None, key)
                check(status == 405, f"{method.upper()} {path} is not allowed, and the document knows no such thing", (status, body))


def every_route_of_the_sources_is_described(binaries):
    with open(os.path.join(SOURCES, "openapi.json"), encoding="utf-8") as f:
        described = [re.sub(r"{\w+}", "", p) for p in json.load(f)["paths"]]
    found = set()
    for path in glob.glob(os.path.join(SOURCES, "*.cpp")):
        with open(path, encoding="utf-8") as f:
            found |= set(re.findall(r'"(/(?:api/[a-z/.\-]*|ws|[a-z]+z|metrics|\.well-known/[a-z.\-]*))"', f.read()))
    check(len(found) > 8, "routes are found in the sources", found)
    for route in sorted(found):
        check(any(d == route or d.startswith(route.rstrip("/") + "/") for d in described), f"{route} is described")
