#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keys made at run time, what they may do, how often, and which environment's spans they see."""
from harness import *

LISTS = ("/api/request-logs/", "/api/request-logs/list/", "/api/users/list/")


def bearer(key):
    return [("Authorization", "Bearer " + key)]


def add(g, *args):
    code, out, err = g.run("key", "add", *args)
    if code != 0:
        raise RuntimeError("key add: exit %d: %s" % (code, err))
    return out.strip()


def ask(g, key, method, path, body=None):
    with Raw(g.port) as c:
        return c.ask(method, path, bearer(key) if key else [], body)


def call(g, key, **more):
    with Raw(g.port) as c:
        return c.post(CHAT, chat_body(**more), bearer(key))


def counts(g, key):
    """Whether the gateway goes by the key yet: it is told by inotify."""
    return ask(g, key, "GET", "/api/request-logs/").status == 200


def started(**config):
    p = Provider()
    g = Gateway(p, config or None, provider_config={"api_key": "sk-provider-owned"})
    return p, g


def at_run_time():
    p, g = started()
    eq(call(g, "anything").status, 200, "without keys it is open")
    key = add(g, "--id", "app1")
    ok(re.fullmatch(r"sg-[0-9a-f]{8}\.[0-9a-f]{64}", key), "add prints the key", key)
    ok(wait_until(lambda: counts(g, key)), "a running gateway takes it without a signal")
    eq(call(g, None or "anything").status, 401, "and takes nothing without one any more")
    for heads in (bearer(key), [("Authorization", "Api-Key " + key)], [("X-Api-Key", key)], [("api-key", key)], [("X-Spangate-Key", key)]):
        with Raw(g.port) as c:
            eq(c.post(CHAT, chat_body(), heads).status, 200, "as " + heads[0][0] + " " + heads[0][1].split(" ")[0][:7])
    s = g.spans(6)[-1]
    eq((s.get("organization_key_id"), s.get("environment")), ("app1", "prod"), "the span names key and environment")
    with open(os.path.join(g.data, "keys")) as f:
        text = f.read()
    eq((os.stat(os.path.join(g.data, "keys")).st_mode & 0o777, key[12:] in text, len(text.splitlines())), (0o600, False, 1), "DATA/keys: 0600, one line, without the secret")
    for wrong in (key[:-1] + ("0" if key[-1] != "0" else "1"), key[:-1], key + "0", "sg-" + key[3:11] + "." + "0" * 64, "sg-00000000." + key[12:]):
        eq(call(g, wrong).status, 401, "not quite the key: 401")
    code, out, err = g.run("key", "list")
    ok(code == 0 and "app1" in out and "counts" in out and key[12:] not in out, "list shows it, not its secret", out, err)
    code, _, err = g.run("key", "add", "--id", "app1")
    ok(code == 1 and "app1" in err, "no second key of that name", err)
    with Raw(g.port) as c:
        eq(c.post(CHAT, chat_body(), bearer(key)).status, 200, "a connection that stays open")
        eq(g.run("key", "revoke", "app1")[0], 0, "revoke")
        ok(wait_until(lambda: not counts(g, key)), "it counts no more")
        eq(c.post(CHAT, chat_body(), bearer(key)).status, 401, "on that connection neither")
    eq(call(g, "anything").status, 401, "with all keys revoked it is not open again")
    ok("revoked" in g.run("key", "list")[1], "list says so")
    eq(g.run("key", "revoke", "nobody")[0], 1, "an unknown one cannot be revoked")
    second = add(g, "--expires", "1h")
    ok(wait_until(lambda: counts(g, second)), "another one")
    g.stop()
    g.start()
    eq((call(g, second).status, call(g, key).status), (200, 401), "after a restart all is the same")
    lines = [json.loads(ln) for ln in open(os.path.join(g.data, "keys"))]
    lines[1]["expires"] = int(time.time() * 1e6) - 1
    new = os.path.join(g.data, "keys.test")
    with open(new, "w") as f:
        f.write("".join(json.dumps(ln) + "\n" for ln in lines))
    os.rename(new, os.path.join(g.data, "keys"))
    ok(wait_until(lambda: not counts(g, second)), "one whose time is over counts no more")
    with open(new, "w") as f:
        f.write("{]\n")
    start = len(g.lines)
    os.rename(new, os.path.join(g.data, "keys"))
    ok(g.wait_log(r"keys: .*keys:1: this line is no key", start=start), "a broken file is said by line")
    eq((call(g, second).status, call(g, "anything").status), (401, 401), "and changes nothing")
    g.stop()
    g.start(wait=False)
    ok(g.wait(10) not in (0, None), "with a broken file it does not start")
    g.destroy()


def first_key_of_a_public_one():
    p = Provider()
    g = Gateway(p, {"listen": "0.0.0.0:0"}, start=False)
    key = add(g, "--id", "first")
    g.start()
    eq(ask(g, key, "GET", "/api/openapi.json").status, 200, "beyond loopback with a key of the data directory")
    eq(ask(g, None, "GET", "/api/openapi.json").status, 401, "and not without")
    g.destroy()


def rights():
    p, g = started()
    keys = {r: add(g, "--id", r, "--rights", r) for r in ("gateway", "read", "write", "admin")}
    keys["default"] = add(g, "--id", "default")
    ok(wait_until(lambda: counts(g, keys["default"])), "the keys are there")
    span = call(g, keys["default"]).get("x-spangate-span-id")
    g.spans(1)
    wants = {"gateway": ("POST", CHAT, chat_body()), "read": ("GET", "/api/request-logs/%s/" % span, None),
             "write": ("DELETE", "/api/request-logs/%s/" % ("0" * 32), None), "admin": ("GET", "/api/temporary-keys/", None)}
    for name, key in keys.items():
        for right, (method, path, body) in wants.items():
            r = ask(g, key, method, path, body)
            may = name == right or (name == "default" and right != "admin")
            ok((r.status != 403) == may and r.status != 401, "a key for %s: %s %s" % (name, right, "may" if may else "may not"), r.status, r.body[:200])
            if not may:
                got = r.json
                said = got["error"]["message"] if isinstance(got["error"], dict) else got["error"]
                ok(right in said and (right == "gateway" or got["detail"] == got["error"]), "and is told which right it lacks", got)
    eq(ask(g, keys["write"], "POST", "/api/request-logs/", {"filters": {}}).status, 403, "the old form of list is reading")
    ok(ask(g, keys["read"], "POST", "/api/request-logs/", {"model": "m", "input": "x"}).status == 403, "creating is writing")
    r = ask(g, None, "GET", "/api/request-logs/")
    ok(r.status == 401 and set(r.json) >= {"error", "detail"}, "without a key: 401 with error and detail", r.body)
    code, _, err = g.run("key", "add", "--rights", "read,fly")
    ok(code == 1 and "fly" in err, "an unknown right is refused", err)
    g.destroy()


def rates():
    p, g = started()
    key, other = add(g, "--id", "slow", "--rate", "5"), add(g, "--id", "free")
    ok(wait_until(lambda: counts(g, other)), "the keys are there")
    got = [call(g, key).status for _ in range(3)] + [ask(g, key, "GET", "/api/request-logs/").status for _ in range(2)]
    eq(got, [200] * 5, "a rate of five: five go through, gateway and API together")
    r = call(g, key)
    eq((r.status, r.json["error"]["code"]), (429, "rate_limit_exceeded"), "the sixth not, on the gateway")
    ok(1 <= int(r.get("retry-after") or 0) <= 12, "with a retry-after that fits the rate", r.get("retry-after"))
    r = ask(g, key, "GET", "/api/request-logs/")
    ok(r.status == 429 and r.json["detail"].startswith("Rate limit exceeded") and r.json["retry_after"] == int(r.get("retry-after")), "nor on the API", r.status, r.body)
    eq([call(g, other).status for _ in range(20)], [200] * 20, "another key goes on")
    add(g, "--id", "later")
    g.signal(signal.SIGHUP)
    ok(g.wait_log("new settings are in use"), "reloaded")
    eq(call(g, key).status, 429, "what is used stays used over a reload and other changes of keys")
    g.destroy()


def ids(r):
    return {s["id"] for s in r.json["results"]} if r.status == 200 else r.status


def environments():
    p, g = started(keys=[{"id": "yaml-test", "environment": "test", "sha256": "00" * 32}])
    prod, test, free, far = (add(g, "--id", "prod"), add(g, "--id", "test", "--environment", "test"),
                             add(g, "--id", "free", "--environment", "dev", "--environment-free"), add(g, "--id", "far", "--tenant", "other"))
    ok(wait_until(lambda: counts(g, far)), "the keys are there")
    who = dict(customer_identifier="c1")
    made = {}
    for name, key, more in (("prod", prod, {}), ("test", test, {}), ("named", free, {"environment": "stage"}), ("dev", free, {}), ("far", far, {})):
        r = call(g, key, **who, **more)
        made[name] = r.get("x-spangate-span-id")
    r = call(g, test, environment="prod", **who)
    made["tried"] = r.get("x-spangate-span-id")
    spans = {s["id"]: s for s in g.spans(6)}
    eq([spans[made[n]]["environment"] for n in ("prod", "test", "named", "dev", "far", "tried")], ["prod", "test", "stage", "dev", "prod", "test"],
       "a key writes to its environment; another only where it may name one")
    ok("environment" in json.dumps(spans[made["tried"]].get("warnings")), "and who may not is told", spans[made["tried"]].get("warnings"))
    sees = {"": {"prod": {"prod"}, "test": {"test", "tried"}, "free": {"dev"}, "far": {"far"}},
            "?all_envs=true": {"prod": {"prod", "test", "tried", "named", "dev"}, "test": {"test", "tried"},
                               "free": {"prod", "test", "tried", "named", "dev"}, "far": {"far"}},
            "?environment=test": {"prod": {"test", "tried"}, "test": {"test", "tried"}, "free": {"test", "tried"}, "far": set()},
            "?environment=prod": {"prod": {"prod"}, "test": set(), "free": {"prod"}, "far": {"far"}},
            "?is_test=false": {"test": set()}, "?is_test=false&all_envs=true": {"test": set()}}
    keys = {"prod": prod, "test": test, "free": free, "far": far}
    for query, of in sees.items():
        for name, want in of.items():
            for path in ("/api/request-logs/", "/api/request-logs/list/"):
                r = ask(g, keys[name], "GET", path + query)
                eq(ids(r), {made[n] for n in want}, "%s: list%s" % (name, query))
                eq(r.json.get("count"), len(want), "and its count")
    for body in ({"filters": {"environment": {"operator": "", "value": ["prod"]}}}, {"environment": "prod"}, {"all_envs": "true", "filters": {"id": {"operator": "", "value": [made["prod"]]}}}):
        r = ask(g, test, "POST", "/api/request-logs/list/", body)
        ok(not ({made["prod"], made["far"]} & ids(r)), "test: no production by a body either", body, r.body[:300])
    for name, want in sees["?all_envs=true"].items():
        got = {n for n in made if ask(g, keys[name], "GET", "/api/request-logs/%s/" % made[n]).status == 200}
        eq(got, want, name + ": by id")
    for query, of in sees.items():
        if "is_test" in query:
            continue
        for name, want in of.items():
            r = ask(g, keys[name], "GET", "/api/users/list/" + query)
            total = sum(u["number_of_requests"] for u in r.json["results"])
            eq(total, len(want), "%s: customers%s" % (name, query))
    eq([ask(g, test, "GET", "/api/users/c1/?environment=" + e).status for e in ("test", "prod", "dev")], [200, 404, 404], "test: one customer")
    r = ask(g, test, "GET", "/api/users/c1/?all_envs=true")
    eq((r.status, r.json.get("environment")), (200, "test"), "whatever is asked for")
    g.destroy()


def over_http():
    p, g = started()
    admin, plain = add(g, "--id", "root", "--rights", "gateway,read,write,admin"), add(g, "--id", "plain")
    ok(wait_until(lambda: counts(g, plain)), "the keys are there")
    path = "/api/temporary-keys/"
    for method, where, body in (("GET", path, None), ("POST", path, {}), ("GET", path + "root/", None), ("PATCH", path + "root/", {}), ("DELETE", path + "root/", None)):
        eq(ask(g, plain, method, where, body).status, 403, "%s is for admins" % method)
    r = ask(g, admin, "POST", path, {"name": "for a \"demo\"", "is_test": True, "rate_limit": 100, "expiry_date": "2999-01-01T00:00:00Z", "max_usage": -1})
    k = r.json
    eq((r.status, k["name"], k["environment"], k["is_test"], k["rate_limit"], k["is_temporary"], k["rights"]),
       (201, "for a \"demo\"", "test", True, 100, True, ["gateway", "read", "write"]), "made")
    secret = k["api_key"]
    eq(call(g, secret).status, 200, "it counts at once")
    r = ask(g, admin, "GET", path)
    eq([x["id"] for x in r.json["results"]], [k["id"], "plain", "root"], "listed, the newest first")
    ok(secret[12:] not in r.body.decode() and "api_key" not in r.body.decode(), "without the secret", r.body)
    r = ask(g, admin, "GET", path + "?page_size=2&page=2")
    ok(len(r.json["results"]) == 1 and r.json["next"] is None and "page=1" in r.json["previous"] and r.json["count"] == 3, "by pages", r.body)
    r = ask(g, admin, "GET", path + k["id"] + "/")
    ok(r.status == 200 and "api_key" not in r.json and r.json["prefix"] == secret[3:11], "one of them", r.body)
    r = ask(g, admin, "PATCH", path + k["id"] + "/", {"name": None, "rights": ["read"], "rate_limit": None})
    eq((r.status, r.json["name"], r.json["rights"], r.json["rate_limit"], r.json["expiry_date"]), (200, None, ["read"], None, k["expiry_date"]), "changed")
    eq(call(g, secret).status, 403, "and so it is at once")
    eq(ask(g, admin, "PATCH", path + k["id"], {"revoked": True}).json["revoked"], True, "revoked")
    eq(counts(g, secret), False, "and so it is at once")
    eq(ask(g, admin, "DELETE", path + k["id"]).status, 204, "deleted")
    eq([ask(g, admin, m, path + k["id"], b).status for m, b in (("GET", None), ("PATCH", {}), ("DELETE", None))], [404] * 3, "and gone")
    for body, member in (({"rate_limit": "many"}, "rate_limit"), ({"rate_limit": 0}, "rate_limit"), ({"expiry_date": "2001-01-01"}, "expiry_date"), ({"expiry_date": 5}, "expiry_date"),
                         ({"rights": "read"}, "rights"), ({"rights": []}, "rights"), ({"rights": ["fly"]}, "rights"), ({"name": 5}, "name"), ({"name": "x" * 129}, "name"),
                         ({"environment": "a b"}, "environment"), ({"environment": "../x"}, "environment"), ({"max_usage": 5}, "max_usage"), ({"spending_limit": 5}, "spending_limit"),
                         ({"is_test": "maybe"}, "is_test"), ([], "JSON"), ("x", "JSON")):
        r = ask(g, admin, "POST", path, body)
        ok(r.status == 400 and member in r.json["error"], "refused, by name: %s" % json.dumps(body)[:60], r.status, r.body)
    bound = ask(g, admin, "POST", path, {"is_test": True, "rights": ["read", "admin"]}).json["api_key"]
    eq([ask(g, bound, "POST", path, b).status for b in ({}, {"environment": "prod", "rights": ["read"]}, {"rights": ["gateway"]}, {"rights": ["read", "admin"]})], [201, 403, 403, 201],
       "none makes one that reaches further than itself")
    r = ask(g, bound, "POST", path, {})
    eq((r.json["environment"], r.json["rights"]), ("test", ["read"]), "by itself it makes one like itself")
    eq(ask(g, bound, "PATCH", path + "plain", {"name": "mine"}).status, 403, "nor changes one outside of its environment")
    far = add(g, "--id", "far", "--tenant", "other", "--rights", "admin")
    ok(wait_until(lambda: ask(g, far, "GET", path).status == 200), "an admin of another tenant")
    eq([x["id"] for x in ask(g, far, "GET", path).json["results"]], ["far"], "sees its own keys")
    eq([ask(g, far, m, path + "plain", b).status for m, b in (("GET", None), ("PATCH", {}), ("DELETE", None))], [404] * 3, "and none else")
    eq(ask(g, admin, "DELETE", path + "root").status, 204, "an admin may go")
    eq(ask(g, admin, "GET", path).status, 401, "and is gone")
    data = b"".join(open(f, "rb").read() for f in g.data_files()) + "\n".join(g.lines).encode()
    eq([k for k in (admin, plain, secret, bound, far) if k[12:].encode() in data], [], "no key is written anywhere")
    g.destroy()


def many():
    """Ten thousand keys are looked up by their prefix."""
    p, g = started()
    key = add(g, "--id", "needle")
    with open(os.path.join(g.data, "keys")) as f:
        line = f.read()
    one = json.loads(line)
    with open(os.path.join(g.data, "keys.many"), "w") as f:
        for i in range(10000):
            f.write(json.dumps(dict(one, id="k%d" % i, prefix="%08x" % (i * 400000 + 7), rate=i % 3)) + "\n")
        f.write(line)
    os.rename(os.path.join(g.data, "keys.many"), os.path.join(g.data, "keys"))
    ok(wait_until(lambda: counts(g, key)), "ten thousand keys are taken")
    with Raw(g.port) as c:
        took = []
        for heads in [bearer(key)] * 300 + [bearer("sg-%08x.%064x" % (i * 400000 + 7, i)) for i in range(300)]:
            start = time.monotonic()
            c.get("/healthz", heads)
            took.append(time.monotonic() - start)
    took.sort()
    note("median of a request with a key among 10,001: %.0f us" % (took[300] * 1e6))
    ok(took[300] < 0.005 * SLOW, "a request is not slow for them")
    g.destroy()


def same_ids():
    """What makes a span the same again does so within its environment: no key replaces the spans of another's."""
    p, g = started()
    prod, test = add(g, "--id", "prod"), add(g, "--id", "test", "--environment", "test")
    ok(wait_until(lambda: counts(g, test)), "the keys are there")
    ids = {}
    for turn in range(2):       # the second time each is its own again
        for key, model in ((prod, "of prod"), (test, "of test")):
            with Raw(g.port) as c:
                one = c.ask("POST", "/api/request-logs/create", bearer(key) + [("Idempotency-Key", "k1")], {"model": model, "input": "x"}).json["id"]
                of = c.ask("POST", "/api/v1/traces/ingest", bearer(key),
                           [{"model": model, "input": "x", "trace_unique_id": "t1", "span_unique_id": "s1", "span_name": "n"}]).json["results"][0]["id"]
            ids.setdefault(model, (one, of))
            eq(ids[model][0], one, "%s, time %d: its own Idempotency-Key" % (model, turn))
        for key, model in ((prod, "of prod"), (test, "of test")):
            rows = ask(g, key, "GET", "/api/request-logs/list/").json["results"]
            eq((sorted(r["id"] for r in rows), {r["model"] for r in rows}), (sorted(ids[model]), {model}), "%s: two spans, of its own, in turn %d" % (model, turn))
    g.destroy()


def every_operation():
    """Each method of each path asks for its right, and only for that; what reads is no writing and what changes no reading."""
    p, g = started()
    keys = {r: add(g, "--id", r, "--rights", r) for r in ("read", "write", "admin")}
    ok(wait_until(lambda: counts(g, keys["read"])), "the keys are there")
    doc = ask(g, keys["read"], "GET", "/api/openapi.json").json
    table = [(m.upper(), p, re.match(r"Needs (?:the right `(\w+)`|no key)", op["description"]).group(1) or "open")
             for p, ops in doc["paths"].items() for m, op in ops.items()]
    wrong, shapes = [], []
    for method, path, right in table:
        body = None if method in ("GET", "DELETE") else {"model": "m"} if path == "/request-logs" else {}
        if (method == "GET" and right == "write") or (method in ("PATCH", "PUT", "DELETE") and right not in ("write", "admin")):
            wrong.append((method, path, "asks for " + right))
        for name, key in keys.items():
            r = ask(g, key, method, "/api" + re.sub(r"\{\w+\}", "0" * 32, path), body)
            if (r.status == 403) != (right not in ("any", "open", name)):
                wrong.append((method, path, name, r.status))
            if r.status == 403:
                said = r.json.get("detail") or r.json.get("message") or ""
                if "`%s`" % right not in said or not (r.json.get("error") == said or path in ("/v1/traces", "/v2/traces")):
                    shapes.append((method, path, r.body[:200]))
    ok(len(table) > 100, "the operations are found", len(table))
    eq(wrong, [], "a key without the right is refused, by each of them, and one with it is not")
    eq(shapes, [], "with error and detail, which name the right")
    g.destroy()


main(at_run_time, first_key_of_a_public_one, rights, every_operation, same_ids, rates, environments, over_http, many)
