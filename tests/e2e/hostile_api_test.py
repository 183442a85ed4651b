#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What nobody should send to the API: SQL in every parameter, headers in values, odd paths, broken and huge JSON. Each
gets a clear answer that is strict JSON, none a fault; nothing is stored, nothing is let out, nothing stops."""
import sqlite3
import urllib.parse

from harness import *

SQL = ["'", "''", "' OR '1'='1", "' OR 1=1 --", "\" OR \"\"=\"", "'; DROP TABLE span; --", "1; DELETE FROM span", "') UNION SELECT name FROM sqlite_schema --",
       "1 UNION SELECT 1,2,3", "%' OR '%'='", "x' AND (SELECT count(*) FROM span) > 0 --", "\\'; --", "s.id", "id); DROP TABLE body; --", "CASE WHEN 1 THEN id END",
       "randomblob(1000000000)", "1 OR load_extension('x')", "\x00'", "ʼ OR 1=1", "%27%20OR%201=1", "?1", ":a", "@a", "$a"]
PARAMETERS = ["page", "page_size", "sort_by", "start_time", "end_time", "environment", "log_type", "include_fields", "is_test", "all_envs", "fetch_filters", "operator",
              "id", "unique_id", "model", "status", "status_code", "cost", "latency", "customer_identifier", "metadata__a", "trace_unique_id", "failed", "stream",
              "timestamp", "made_up", "custom_identifier", "sample", "name", "email", "total_cost"]
LISTS = ["/api/request-logs/", "/api/request-logs/list/", "/api/users/list/", "/api/temporary-keys/"]
FINE = {200, 201, 204, 400, 401, 403, 404, 405, 409, 411, 413, 414, 415, 422, 429, 431, 501}


def strict(data):
    """Parses as the strictest client does: no member twice, no NaN."""
    def pairs(items):
        if len({k for k, _ in items}) != len(items):
            raise ValueError("a member stands twice")
        return dict(items)

    def constant(name):
        raise ValueError(name)
    return json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_constant=constant)


class Book:
    """What was asked and what is wrong with the answers."""
    def __init__(self, what):
        self.what, self.n, self.bad, self.statuses = what, 0, [], {}

    def take(self, r, *asked, allow=FINE):
        self.n += 1
        why = None
        if r is None:
            why = "no answer"
        else:
            self.statuses[r.status] = self.statuses.get(r.status, 0) + 1
            if r.status not in allow:
                why = "status %d" % r.status
            elif r.status != 204:
                try:
                    got = strict(r.body)
                    if r.status >= 400 and not (isinstance(got.get("error"), (str, dict)) and got["error"]):
                        why = "no error is named"
                except ValueError as e:
                    why = "not strict JSON: %s" % e
        if why:
            self.bad.append((why, asked, r and r.body[:200]))
        return r

    def close(self):
        ok(not self.bad, "%s: %d requests" % (self.what, self.n), *self.bad[:8])
        note("statuses: %s" % ", ".join("%d: %d" % x for x in sorted(self.statuses.items())))


def state():
    """All that is kept: tables with their rows, keys."""
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(g.data, "spans.db"), uri=True)
    try:
        names = [n for n, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]
        rows = {n: db.execute('SELECT count(*) FROM "%s"' % n).fetchone()[0] for n in names}
        check = db.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        db.close()
    with open(os.path.join(g.data, "keys")) as f:
        return rows, check, f.read()


def ask(c, method, path, body=None, head=(), who=None):
    return c.ask(method, path, [("Authorization", "Bearer " + (who or key))] + list(head), body)


def again():
    return Raw(g.port)


def sql():
    b = Book("SQL in every parameter of every list")
    with again() as c:
        for path in LISTS:
            for name in PARAMETERS:
                for text in SQL:
                    b.take(ask(c, "GET", "%s?%s=%s" % (path, name, urllib.parse.quote(text, safe=""))), path, name, text)
    b.close()
    b = Book("SQL as names of parameters")
    with again() as c:
        for path in LISTS:
            for text in SQL:
                for name in (text, "metadata__" + text, "scores__" + text, "-" + text, text + "[operator]", "model[" + text + "]"):
                    b.take(ask(c, "GET", "%s?%s=1" % (path, urllib.parse.quote(name, safe=""))), path, name)
    b.close()
    b = Book("SQL in filters")
    with again() as c:
        for path in LISTS[1:3]:
            for text in SQL:
                for filters in ({text: {"operator": "", "value": ["x"]}}, {"model": {"operator": text, "value": ["x"]}}, {"model": {"operator": "", "value": [text]}},
                                {"id": {"operator": "in", "value": [text]}}, {"metadata__" + text: {"operator": "contains", "value": [text]}}, {"cost": {"operator": "gt", "value": [text]}},
                                {"model": {"operator": "", "value": ["x"], "connector": text}}, {"model": text}, {"model": {"operator": "contains", "value": text}},
                                {"customer_identifier": {"operator": "not", "value": [text, text]}}, text):
                    r = b.take(ask(c, "POST", path, {"filters": filters}), path, filters)
                    if r and r.status == 200 and filters == {"model": {"operator": "", "value": [text]}} and r.json["count"]:
                        b.bad.append(("found something", filters, r.body[:200]))
                for member in ("page", "sort_by", "environment", "start_time", "all_envs"):
                    b.take(ask(c, "POST", path, {member: text}), path, member, text)
    b.close()
    b = Book("SQL as ids in paths")
    with again() as c:
        for text in SQL:
            for path in ("/api/request-logs/%s/", "/api/users/%s/", "/api/temporary-keys/%s/", "/api/traces/%s/", "/api/logs/%s/scores/", "/api/audio/%s"):
                for method in ("GET", "PATCH", "DELETE"):
                    where = path % urllib.parse.quote(text, safe="")
                    if "audio" not in path:     # beside ids its paths are the provider's
                        b.take(ask(c, method, where, {} if method == "PATCH" else None), method, where)
    b.close()
    b = Book("SQL as keys")
    with again() as c:
        for text in SQL:
            if "\x00" not in text:
                for name in ("Authorization", "X-Api-Key", "api-key", "X-Spangate-Key"):
                    b.take(c.ask("GET", LISTS[0], [(name, text.encode().decode("latin-1"))]), name, text, allow={401})
    b.close()


def headers():
    b = Book("line ends in values")
    for text in ("x\r\nX-Evil: 1", "x\nX-Evil: 1", "x\r\n\r\n<html>", "x\rX-Evil: 1", "\u010d\u010aX-Evil: 1"):
        for path in LISTS:
            for name in ("page", "sort_by", "environment", "x-odd"):
                with again() as c:
                    r = b.take(ask(c, "GET", "%s?%s=%s&page_size=1" % (path, name, urllib.parse.quote(text))), path, name, text)
                    if r and ("X-Evil" in dict(r.headers) or b"<html>" in r.raw_head):
                        b.bad.append(("a header of theirs", text, r.raw_head))
        with again() as c:
            r = b.take(ask(c, "PUT" + urllib.parse.quote(text), LISTS[0]), text)
    b.close()
    b = Book("a Host of theirs in next and previous")
    for host in ("evil.example\"", "a b", "<script>", "evil.example/path?x=", "x" * 5000, "", "evil\\u0022"):
        with again() as c:
            r = b.take(ask(c, "GET", "/api/request-logs/?page_size=1", head=[("Host", host)]), host)
            if r and r.status == 200 and not (strict(r.body)["next"] or "http").startswith("http"):
                b.bad.append(("next", host, r.body[:100]))
    b.close()


def paths():
    b = Book("odd paths")
    odd = ["/api/%2e%2e/%2e%2e/etc/passwd", "/api/../../etc/passwd", "/api/request-logs/..%2f..%2fkeys", "/api/request-logs/%2e%2e/", "/api//request-logs/", "//api/request-logs/",
           "/api/request-logs//", "/api/request-logs/%00/", "/api/request-logs/a%00b/", "/api/request-logs/%c0%ae%c0%ae/", "/api/request-logs/%e0%80%af/", "/api/request-logs/%ff%fe/",
           "/api/request-logs/%/", "/api/request-logs/%zz/", "/api/request-logs/%u002e/", "/api/./request-logs/", "/api/request-logs/;a=b/", "/api/request-logs/" + "a" * 20000,
           "/api/" + "a/" * 5000, "/API/REQUEST-LOGS/", "/api/request-logs/" + "0" * 32 + "/extra/", "/api/temporary-keys/../keys", "/api/temporary-keys/%2e%2e%2fkeys/",
           "/api/users/..%2f..%2f..%2fetc%2fpasswd/", "/api/users/%c0%af/", "/api/users/%00/", "/api/\\..\\..\\keys", "/api/request-logs/?page=1#x", "/api/request-logs?",
           "/api/request-logs?&&&", "/api/request-logs?=", "/api/request-logs?a", "/api/request-logs?page=1&page=2&page=3", "/api/request-logs?" + "a=b&" * 3000,
           "/api/request-logs?page=1%00", "/api/request-logs?sort_by=%ff%fe", "/api/request-logs?model=%ed%a0%80", "/api/health-check/../request-logs/"]
    for path in odd:
        for method in ("GET", "POST", "DELETE"):
            with again() as c:
                r = c.ask(method, path, [("Authorization", "Bearer " + key)], {} if method == "POST" else None)
                # What is no path of the API goes to the provider, as any other path does.
                if r is None or not r.body.startswith(b'{"object": "echo"'):
                    b.take(r, method, path[:100])
                if r and (b"root:" in r.body or b'"hash"' in r.body):
                    b.bad.append(("a file was read", path, r.body[:200]))
    b.close()


def bodies():
    b = Book("broken JSON")
    for path in ("/api/request-logs/list/", "/api/users/list/", "/api/temporary-keys/", "/api/request-logs/"):
        for body in (b"{", b"}", b"[", b"nul", b"NaN", b"{\"filters\": NaN}", b"{\"filters\": {\"cost\": {\"operator\": \"gt\", \"value\": [NaN]}}}", b"{\"page\": Infinity}", b"{\"page\": -Infinity}",
                     b"{\"a\": 1,}", b"{'a': 1}", b"{\"a\": 01}", b"{\"a\": \"\\x\"}", b"{\"a\": \"\xff\xfe\"}", b"{\"\xc0\xaf\": 1}", b"{\"a\": \"\xed\xa0\x80\"}", b"{\"a\": \"\n\"}",
                     b"\xef\xbb\xbf{}", b"{} {}", b"{}x", b"\x00", b"{\"a\": \"\x00\"}", b"\xff" * 100, "{\"a\": 1}".encode("utf-16"), b"[]", b"5", b"\"x\"", b"null", b"true",
                     b"{" * 100000, b"[" * 100000, b"{\"a\":" * 5000 + b"1" + b"}" * 5000, b"{\"filters\":" + b"[" * 5000 + b"]" * 5000 + b"}",
                     b"{\"filters\":{\"model\":" + b"{\"value\":" * 600 + b"1" + b"}" * 600 + b"}}"):
            with again() as c:
                r = b.take(ask(c, "POST", path, body, [("Content-Type", "application/json")]), path, body[:60])
                if r and r.status in (200, 201) and path != "/api/temporary-keys/":
                    b.bad.append(("taken", path, body[:60]))
    b.close()
    b = Book("numbers beyond all bounds, members twice, lists without end")
    with again() as c:
        for number in ("1e400", "-1e400", "1e-400", "9" * 400, "-" + "9" * 400, "0." + "0" * 400 + "1", "9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e308", "0", "-1", "1.5", "2147483648"):
            for member in ("page", "page_size"):
                b.take(ask(c, "POST", "/api/request-logs/list/", ("{\"%s\": %s}" % (member, number)).encode()), member, number)
                b.take(ask(c, "GET", "/api/request-logs/?%s=%s" % (member, number)), member, number)
                b.take(ask(c, "GET", "/api/temporary-keys/?%s=%s" % (member, number)), member, number)
            for field in ("cost", "latency", "status_code", "prompt_tokens", "timestamp", "temperature", "id"):
                b.take(ask(c, "POST", "/api/request-logs/list/", ("{\"filters\": {\"%s\": {\"operator\": \"gt\", \"value\": [%s]}}}" % (field, number)).encode()), field, number)
            for field in ("total_cost", "number_of_requests", "average_latency", "first_seen"):
                b.take(ask(c, "POST", "/api/users/list/", ("{\"filters\": {\"%s\": {\"operator\": \"lt\", \"value\": [%s]}}}" % (field, number)).encode()), field, number)
            b.take(ask(c, "POST", "/api/temporary-keys/", ("{\"rate_limit\": %s, \"revoked\": 5}" % number).encode()), "rate_limit", number, allow={400})
        b.take(ask(c, "POST", "/api/request-logs/list/", b'{"page": 1, "page": 2, "filters": {"model": "a", "model": "b"}, "filters": {}}'))
        b.take(ask(c, "POST", "/api/request-logs/list/", json.dumps({"filters": {"model": {"operator": "in", "value": ["x"] * 100000}}}).encode()), allow={400})
        b.take(ask(c, "POST", "/api/request-logs/list/", json.dumps({"filters": {"metadata__%d" % i: "x" for i in range(10000)}}).encode()), allow={400})
        b.take(ask(c, "POST", "/api/users/list/", json.dumps({"filters": {"name": {"operator": "in", "value": ["x"] * 100000}}}).encode()), allow={400})
        b.take(ask(c, "POST", "/api/request-logs/list/", json.dumps({"filters": {"model": {"operator": "contains", "value": ["x" * 3000000]}}}).encode()))
        b.take(ask(c, "POST", "/api/request-logs/list/", json.dumps({"x" * 1000000: 1}).encode()))
    b.close()
    b = Book("stored texts that are hostile come out as they are")
    texts = SQL + ["</script><script>", "\u2028\u2029\U0001f600", "\x01\x1f\x7f", "a" * 3000, "{\"a\":1}", "=cmd|' /C calc'!A0"]
    made = {}
    for text in texts:
        with again() as c:
            r = ask(c, "POST", CHAT, chat_body(customer_identifier=text, thread_identifier=text, metadata={text: text, "team": text}, custom_identifier=text))
        made[r.get("x-spangate-span-id")] = text
    g.spans(5 + len(made), 20)
    with again() as c:
        for i, text in made.items():
            r = b.take(ask(c, "GET", "/api/request-logs/%s/" % i), text)
            s = strict(r.body)
            if s["custom_identifier"] != text or s["metadata"].get(text) != text or s["customer_identifier"] != text[:254]:
                b.bad.append(("not as it was", text, (s["custom_identifier"], s["metadata"], s["customer_identifier"])))
            if len(text) <= 1000:
                r = b.take(ask(c, "POST", "/api/request-logs/list/", {"filters": {"custom_identifier": {"operator": "", "value": [text]}}}), text)
                if [x["id"] for x in r.json["results"]] != [i]:
                    b.bad.append(("not found by it", text, r.body[:200]))
                if "\x00" not in text:
                    r = b.take(ask(c, "GET", "/api/request-logs/?metadata__team=" + urllib.parse.quote(text, safe="")), text)
                    if [x["id"] for x in r.json["results"]] != [i]:
                        b.bad.append(("not found by its metadata", text, r.body[:200]))
    b.close()


def unchanged(test):
    """Runs a test that must leave everything as it was."""
    before = state()
    test()
    after = state()
    ok(before == after and after[1] == "ok", "nothing was stored or lost, and the store is whole", before, after)
    with again() as c:
        ok(ask(c, "GET", "/api/request-logs/").json["count"] == 5 and g.proc.poll() is None, "and the gateway is well")
    ok(not [ln for ln in g.lines if re.search(r"error [0-9a-f]{16}: 5", ln)], "with no fault in the log", *g.lines[-3:])


def unchanged_sql():
    unchanged(sql)


def unchanged_headers():
    unchanged(headers)


def unchanged_paths():
    unchanged(paths)


def last_bodies():
    bodies()
    ok(g.proc.poll() is None and state()[1] == "ok", "the gateway is well, and the store is whole")
    eq(g.run("verify")[0], 0, "and the books balance")
    eq(g.stop(), 0, "it stops as it should")


p = Provider()
g = Gateway(p, start=False, provider_config={"api_key": "sk-x"})
key = g.run("key", "add", "--id", "root", "--rights", "gateway,read,write,admin")[1].strip()
g.start()
for n in range(5):
    with again() as conn:
        ask(conn, "POST", CHAT, chat_body(customer_identifier="c%d" % n, metadata={"a": "b"}))
g.spans(5)
main(unchanged_sql, unchanged_headers, unchanged_paths, last_bodies)
