#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document: every route is in it, what it says is so, answers are what their schemas say; and, where
schemathesis is installed (contrib/clients), a short run of it that is the same each time."""
import itertools

from harness import *

TOP = os.environ.get("TOP_SRCDIR") or os.path.join(HERE, "..", "..")
EXTRA = {"string": str, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def wrong(value, schema, doc, at="$"):
    """What of the value does not fit, or None. As much of JSON Schema as the document uses."""
    if "$ref" in schema:
        return wrong(value, doc["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], doc, at)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kinds and not any(number and (k == "number" or value == int(value)) if k in ("number", "integer") else isinstance(value, EXTRA[k]) for k in kinds):
        return "%s: %r is no %s" % (at, value, kinds)
    if "enum" in schema and value not in schema["enum"]:
        return "%s: %r is none of %s" % (at, value, schema["enum"])
    if "anyOf" in schema and all(wrong(value, s, doc, at) for s in schema["anyOf"]):
        return "%s: none of anyOf" % at
    if number and value < schema.get("minimum", value):
        return "%s: %r is too small" % (at, value)
    if isinstance(value, dict):
        for k in schema.get("required", []):
            if k not in value:
                return "%s.%s is missing" % (at, k)
        for k, s in schema.get("properties", {}).items():
            why = k in value and wrong(value[k], s, doc, at + "." + k)
            if why:
                return why
    if isinstance(value, list) and "items" in schema:
        for i, v in enumerate(value):
            why = wrong(v, schema["items"], doc, "%s[%d]" % (at, i))
            if why:
                return why
    return None


def started():
    p = Provider()
    g = Gateway(p, start=False, provider_config={"api_key": "sk-x"})
    key = g.run("key", "add", "--id", "root", "--rights", "gateway,read,write,admin")[1].strip()
    g.start()
    for i in range(4):
        with Raw(g.port) as c:
            c.post(CHAT, chat_body(i % 2 == 1, customer_identifier="c%d" % i, metadata={"a": i}), [("Authorization", "Bearer " + key)])
    g.spans(4)
    return g, key


def ask(method, path, body=None, head=None):
    with Raw(g.port) as c:
        return c.ask(method, path, head or [("Authorization", "Bearer " + key)], body)


def fits(doc, method, path, r):
    """The answer against what the document says of that status."""
    op = doc["paths"][path][method.lower()]
    said = op["responses"].get(str(r.status))
    if said is None:
        return "%d is not documented" % r.status
    kind = (r.get("content-type") or "").split(";")[0]
    if "content" not in said:
        return None
    if kind not in said["content"]:
        return "type %s" % kind
    return wrong(r.json, said["content"][kind].get("schema", {}), doc)


def routes():
    doc = ask("GET", "/api/openapi.json").json
    eq(doc["openapi"][:4], "3.1.", "OpenAPI 3.1")
    with open(os.path.join(TOP, "src", "api", "routes.tbl.h")) as f:
        table = re.findall(r'^ROUTE\("([^"]+)", "([^"]+)", (\w+)', f.read(), re.M)
    ok(len(table) > 30, "the table of routes is read", len(table))
    documented = [(m.upper(), p) for p, ops in doc["paths"].items() for m in ops]
    for methods, path, handler in table:
        rx = re.compile("^" + re.escape(path).replace(r"/\*\*", "(/.*)?").replace(r"\*", "[^/]+") + "$")
        for m in methods.split():
            ok(any(m == dm and rx.match(dp) for dm, dp in documented), "%s %s is in the document" % (m, path))
    bad = []
    for m, p in documented:
        where = "/api" + re.sub(r"\{span_id\}", "0" * 32, re.sub(r"\{(?!span_id)\w+\}", "none", p))
        r = ask(m, where, {} if m in ("POST", "PUT", "PATCH") else None)
        works = "501" not in doc["paths"][p][m.lower()]["responses"]
        if r.status == 405 or "no API path" in r.body.decode() or (r.status == 501) == works:
            bad.append((m, p, r.status, works))
    eq(bad, [], "every operation is there, and those are 501 that are said to be")
    open_ = [(m, p) for m, p in documented if doc["paths"][p][m.lower()].get("security") == []]
    eq(open_, [("GET", "/{organization}/traces/{id}")], "what needs no key is said to")
    unlike = [(m, p) for m, p in documented if (ask(m, "/api" + re.sub(r"\{\w+\}", "none", p), head=[("Accept", "*/*")]).status != 401) != ((m, p) in open_)]
    eq([x for x in unlike if not x[1].startswith("/audio/")], [], "and all else is 401 without one")
    ids = [op["operationId"] for ops in doc["paths"].values() for op in ops.values()]
    eq(len(ids), len(set(ids)), "operation ids are unique")
    refs = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(doc)))
    eq(refs - set(doc["components"]["schemas"]), set(), "every schema that is named is there")
    for path, ops in doc["paths"].items():
        want = re.findall(r"\{(\w+)\}", path)
        for m, op in ops.items():
            if [x["name"] for x in op["parameters"] if x["in"] == "path"] != want:
                ok(False, "path parameters of %s %s" % (m, path))
    for p in ("/request-logs", "/request-logs/list", "/users/list"):
        r = ask("OPTIONS", "/api" + p)
        eq((r.status, {x.strip().lower() for x in (r.get("allow") or "").split(",")}), (405, set(doc["paths"][p])), "allow is what is documented: " + p)


def answers():
    doc = ask("GET", "/api/openapi.json").json
    one = ask("GET", "/api/request-logs/").json["results"][0]["id"]
    made = ask("POST", "/api/temporary-keys/", {"name": "n"})
    calls = [("GET", "/request-logs", "", None, 200), ("GET", "/request-logs/list", "?page_size=2", None, 200), ("POST", "/request-logs/list", "", {}, 200),
             ("POST", "/request-logs", "", {"filters": {}}, 200), ("GET", "/request-logs/{id}", one, None, 200), ("GET", "/request-logs/{id}", "nothing", None, 404),
             ("GET", "/users/list", "", None, 200), ("POST", "/users/list", "", {}, 200), ("GET", "/users/{customer_identifier}", "c1", None, 200),
             ("GET", "/users/{customer_identifier}", "nobody", None, 404), ("GET", "/request-logs", "?page=x", None, 400), ("POST", "/users/list", "", {"filters": 5}, 400),
             ("GET", "/temporary-keys", "", None, 200), ("GET", "/temporary-keys/{id}", "root", None, 200), ("PATCH", "/temporary-keys/{id}", "root", {"name": "x"}, 200),
             ("POST", "/temporary-keys", "", {"rate_limit": -1}, 400), ("GET", "/health-check", "", None, 200), ("GET", "/openapi.json", "", None, 200)]
    eq((fits(doc, "POST", "/temporary-keys", made), made.status), (None, 201), "POST /temporary-keys")
    for m, p, more, body, status in calls:
        where = re.sub(r"\{\w+\}", more, p) if "{" in p else p + more
        r = ask(m, "/api" + where, body)
        eq((r.status, fits(doc, m, p, r)), (status, None), "%s %s: %d fits its schema" % (m, where[:40], status))
    plain = made.json["api_key"]
    for head, status in (([("Authorization", "Bearer wrong")], 401), ([("Accept", "*/*")], 401), ([("X-Api-Key", plain)], 403)):
        r = ask("GET", "/api/temporary-keys/", head=head)
        eq((r.status, fits(doc, "GET", "/temporary-keys", r)), (status, None), "%d fits its schema" % status)
    for r in (ask("GET", "/api/request-logs/"), ask("GET", "/api/request-logs/%s/" % one)):
        rows = r.json.get("results", [r.json])
        unknown = set(itertools.chain(*rows)) - set(doc["components"]["schemas"]["Span"]["properties"])
        note("members of rows beside the fields of a span: " + ", ".join(sorted(unknown)))


def robots():
    program = os.path.join(os.environ.get("SPANGATE_CLIENTS") or "/nonexistent", "schemathesis", "bin", "schemathesis")
    if not os.access(program, os.X_OK):
        skip("schemathesis", "it is not installed (contrib/clients, SPANGATE_CLIENTS)")
        return
    doc = ask("GET", "/api/openapi.json").json
    leave = ["^" + re.escape(p) + "$" for p, ops in doc["paths"].items() if all("501" in op["responses"] for op in ops.values())]
    leave += ["^/audio/"]       # beside ids of ours its paths are the provider's
    ids = [op["operationId"] for ops in doc["paths"].values() for op in ops.values() if "501" in op["responses"]]
    if ask("POST", "/api/request-logs/", {"model": "m", "input": "x"}).status == 501:
        ids.append(doc["paths"]["/request-logs"]["post"]["operationId"])    # it lists, and does not create yet
    where = tempfile.mkdtemp(prefix="spangate-test-")
    with open(os.path.join(where, "schemathesis.toml"), "w") as f:
        f.write('[auth.openapi.bearer]\nbearer = "%s"\n' % key)
    # Whether a filter or a time to come is taken is more than a schema can say: positive_data_acceptance.
    p = subprocess.run([program, "--config-file", os.path.join(where, "schemathesis.toml"), "run", g.url + "/api/openapi.json", "--url", g.url + "/api",
                        "-H", "Authorization: Bearer " + key, "--checks", "all", "--exclude-checks", "positive_data_acceptance",
                        "--max-examples", os.environ.get("TEST_EXAMPLES", "5"), "--phases", "coverage,fuzzing", "--seed", "1", "--generation-deterministic", "--no-color",
                        "--continue-on-failure", "--exclude-path-regex", "|".join(leave)] + [a for i in ids for a in ("--exclude-operation-id", i)],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=where, timeout=600 * SLOW)
    out = p.stdout.decode("utf-8", "replace")
    note("\n".join(out.splitlines()[-25:]))
    ok(p.returncode == 0, "schemathesis finds nothing", *out[out.find("FAILURES"):].splitlines()[:600])
    shutil.rmtree(where, ignore_errors=True)
    ok(ask("GET", "/api/request-logs/").status == 200 and g.proc.poll() is None, "the gateway is well")


g, key = started()
main(routes, answers, robots)
