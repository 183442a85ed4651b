#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`spangate prices reprice`: stored spans priced again by other tables, with the gateway running and without
it, across kill -9, and for spans of a store that knew no costs."""
import sqlite3
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from harness import *

MANY = 9000             # spans; a step takes 500


def exact(v):
    return v if v is None else Decimal(repr(v))


def table(h, load=True, **models):
    """Other prices, per million tokens: name=(input, output). They are loaded, unless the gateway is down or is not to."""
    with open(h.config["prices"], "w") as f:
        json.dump({"format": 1, "name": "of the test", "prices": [
            {"match": [name.replace("_", "-")], "per_million_tokens": {"input": i, "output": o}} for name, (i, o) in models.items()]}, f)
    if load and h.proc is not None and h.proc.poll() is None:
        start = len(h.lines)
        h.signal(signal.SIGHUP)
        ok(h.wait_log("new settings are in use", 10, start), "the gateway has the new prices", h.lines[start:])


def gateway():
    h = Gateway(config={"prices": None, "providers": {"fake": {"api": "openai", "base_url": p.url + "/v1", "usage": "ask"},
                                                      "claude": {"api": "anthropic", "base_url": p.url}}}, start=False)
    h.config["prices"] = os.path.join(h.root, "prices.json")
    h.write_config()
    table(h, model_a=(1, 2), model_b=(1, 2))
    h.start()
    return h


def reprice(h, *flags):
    return h.run("prices", "reprice", *flags)


def lines_of(out):
    """{(model, customer): [spans, unknown before, then, USD before, after, difference]}"""
    got = {}
    for ln in out.splitlines()[1:]:
        m = re.fullmatch(r"(\S+) +(\S*) +(\d+) +(\d+) +(\d+) +(\S+) +(\S+) +(\S+)", ln)
        if m:
            got[m.group(1), m.group(2)] = [int(x) for x in m.group(3, 4, 5)] + [Decimal(x) for x in m.group(6, 7, 8)]
    return got


def costs(h):
    """What spans cost, by id."""
    return {s["id"]: (exact(s["cost"]), s["cost_source"]) for s in h.export()}


def verified(h, what):
    code, out, err = h.run("verify")
    ok(code == 0 and re.search(r"rollups: \d+ cells, equal", out), "verify says that rollups are equal: " + what, code, out, err)


def by_hand(h, s):
    """What the span costs by the table's file, in USD."""
    with open(h.config["prices"]) as f:
        prices = {e["match"][0]: e["per_million_tokens"] for e in json.load(f)["prices"]}
    rates = prices.get(s["model"].replace("-2026-08-01", ""))
    return rates and (s["prompt_tokens"] * Decimal(str(rates["input"])) + s["completion_tokens"] * Decimal(str(rates["output"]))) / 1000000


def many_priced(h, what, model_a, model_b, model_c):
    """As all_priced, of many spans: all that go by the tables."""
    prices = {"model-a": model_a, "model-b": model_b, "model-c": model_c}
    db, wrong = open_store(h), []
    for model, i, o, pico in db.execute("SELECT model, prompt_tokens, completion_tokens, cost_pico FROM span WHERE status = 'success'"
                                        " AND cost_source NOT IN ('unit_price', 'provider')"):
        rates = prices[model[:7]]
        if pico != (i * rates[0] + o * rates[1]) * 1000000:
            wrong.append((model, i, o, pico))
    db.close()
    eq((len(wrong), wrong[:5]), (0, []), what)


def all_priced(h, what, meant=lambda s: True, before={}):
    """The spans that are meant cost what the table says, the others what they did."""
    wrong = []
    for s in h.export():
        want = by_hand(h, s) if meant(s) else before[s["id"]][0]
        if exact(s["cost"]) != want:
            wrong.append("%s of %s: %r, expected %s" % (s["id"], s["model"], s["cost"], want))
    eq(wrong[:5], [], what)


def fill(h):
    """Six spans by the tables of three models and two customers, two with costs of their own, an error."""
    with Raw(h.port) as c:
        for model, customer, more, fake in (
                ("model-a", "alice", {}, "n=10"), ("model-a", "bob", {}, "n=20"), ("model-b", "alice", {}, "n=30"),
                ("model-c", "alice", {}, "n=40"), ("model-c", None, {}, "n=50"), ("model-a", "alice", {}, "n=5"),
                ("model-a", "carol", {"prompt_unit_price": 7, "completion_unit_price": 8}, "n=10"),
                ("model-c", "carol", {}, "figure=0.125"), ("model-a", "alice", {}, "status=429")):
            body = chat_body(model=model, **more)
            if customer:
                body["customer_identifier"] = customer
            c.post(CHAT, body, [("x-fake", fake)])
    return h.spans(9)


def ours(s):
    return s["cost_source"] in ("unknown", "user_table", "table") and s["status"] == "success"


def some(h, how):
    """Gateway up or down: which spans are priced, what is printed, what stays."""
    spans = {s["id"]: s for s in h.export()}
    before = costs(h)
    table(h, load=False, model_a=(3, 4), model_b=(1, 2.5), model_c=(5, 6))
    if how == "up":
        code, out, err = reprice(h)
        ok(code == 1 and "SIGHUP" in err, "with a table that the gateway has not loaded it says so", code, err)
        eq(costs(h), before, "and changes nothing")
        table(h, model_a=(3, 4), model_b=(1, 2.5), model_c=(5, 6))
    code, out, err = reprice(h, "--dry-run")
    got = lines_of(out)
    eq((code, costs(h) == before), (0, True), "%s: --dry-run changes nothing" % how)
    want = {}
    for s in filter(ours, spans.values()):
        one = want.setdefault((s["model"], s.get("customer_identifier") or "-"), [0, 0, 0, Decimal(0), Decimal(0), Decimal(0)])
        old, new = exact(s["cost"]), by_hand(h, s)
        for i, x in enumerate((1, old is None, new is None, old or 0, new or 0, (new or 0) - (old or 0))):
            one[i] += x
    want["all", ""] = [sum(x) for x in zip(*want.values())]
    eq(got, want, "%s: it prints the difference by model and customer" % how)

    code, out, err = reprice(h, "--unknown")
    eq(code, 0, "%s: --unknown" % how) or note(out, err)
    eq({k[0] for k in lines_of(out)}, {"model-c-2026-08-01", "all"}, "%s: prints those alone" % how)
    all_priced(h, "%s: what was unknown has a cost, no more" % how, lambda s: before[s["id"]][1] == "unknown", before)
    verified(h, how + ", --unknown")

    before = costs(h)
    code, out, err = reprice(h, "--model", "model-b*")
    eq(code, 0, "%s: --model" % how)
    all_priced(h, "%s: spans of that model, no more" % how, lambda s: s["model"].startswith("model-b"), before)
    verified(h, how + ", --model")

    before = costs(h)
    mine = sorted((s["start_time"], s["id"]) for s in spans.values() if s["model"].startswith("model-a") and ours(s))
    at, last = mine[1][0], mine[2][0]
    code, out, err = reprice(h, "--from", at, "--to", last)
    eq((code, lines_of(out)["all", ""][0]), (0, 1), "%s: --from and --to" % how) or note(out, err)
    all_priced(h, "%s: the span from that time on, not the one at the end" % how, lambda s: s["id"] == mine[1][1], before)
    verified(h, how + ", --from")

    code, out, err = reprice(h)
    eq(code, 0, "%s: all the others" % how) or note(out, err)
    all_priced(h, "%s: all have their cost" % how, ours, before)
    verified(h, how)
    code, out, err = reprice(h)
    eq((code, lines_of(out)["all", ""][0]), (0, 0), "%s: there is nothing more to do" % how)
    own = [s for s in h.export() if not ours(s)]
    eq(sorted((s["cost_source"], s["cost"], s["status"]) for s in own), [
        ("provider", 0.125, "success"), ("table", 0, "error"), ("unit_price", 0.000199, "success")], "%s: what has a cost of its own keeps it" % how)
    bad = []
    for s in filter(ours, h.export()):
        d = s["cost_details"]
        rates = {ln["kind"]: ln["rate"] for ln in d["lines"]}
        if d["cost"] != s["cost"] or d["price"]["table"] != "of the test" or rates["output"] == 2 or d["cost_source"] != s["cost_source"]:
            bad.append(d)
        if "price_unknown" in (s.get("warnings") or {}):
            bad.append(s["warnings"])
    eq(bad, [], "%s: the bills are new ones" % how)


def gateway_up():
    h = gateway()
    fill(h)
    some(h, "up")
    before = costs(h)
    h.stop()
    h.start()
    eq(costs(h), before, "and so it is after a restart")
    h.destroy()


def gateway_down():
    h = gateway()
    fill(h)
    h.stop()
    some(h, "down")
    h.destroy()


def lost_again():
    """A model that has no price any more is unknown again."""
    h = gateway()
    fill(h)
    table(h, model_b=(1, 2))
    code, out, err = reprice(h)
    eq(code, 0, "a table without the model")
    all_priced(h, "its spans are unknown, not free", ours, costs(h))
    ok(all(s["cost_source"] == "unknown" and "price_unknown" in s["warnings"] for s in h.export() if ours(s) and s["model"].startswith("model-a")),
       "and say so")
    verified(h, "unknown again")
    for flags in (("--model", "x" * 300), ("--from", "when"), ("--no-such",)):
        code, out, err = reprice(h, *flags)
        ok(code != 0 and err and not out, "refused: " + " ".join(flags)[:20], code, out, err)
    h.destroy()


# many spans --------------------------------------------------------------------------
def open_store(h):
    db = sqlite3.connect(os.path.join(h.data, "spans.db"), timeout=30)
    db.execute("PRAGMA busy_timeout = 30000")
    return db


def copied(h, times):
    """Copies each span so often, as if the gateway had stored that many: with bodies, bills and books, and days
    that begin at another hour, so that the rollups are made anew."""
    h.stop()
    db = open_store(h)
    names = [r[1] for r in db.execute("PRAGMA table_info(span)")][2:]
    rows = db.execute("SELECT n, id, %s FROM span" % ", ".join(names)).fetchall()
    n = db.execute("SELECT max(n) FROM span").fetchone()[0]
    for row in rows:
        new = []
        for i in range(times):
            n += 1
            new.append((n, row[1][:8] + b"\x80" + os.urandom(7)) + row[2:])
        db.executemany("INSERT INTO span(n, id, %s) VALUES(%s)" % (", ".join(names), ", ".join("?" * (len(names) + 2))), new)
        for side in ("body", "bill"):
            columns = [r[1] for r in db.execute("PRAGMA table_info(%s)" % side)][1:]
            db.execute("INSERT INTO %s(span, %s) SELECT s.n, %s FROM span s, %s x WHERE s.n > ? AND s.n <= ? AND x.span = ?"
                       % (side, ", ".join(columns), ", ".join("x." + c for c in columns), side), (n - times, n, row[0]))
    sums = [r[1] for r in db.execute("PRAGMA table_info(span_tick)") if r[1] not in ("tick", "tenant", "environment")]
    db.execute("UPDATE span_tick SET " + ", ".join("%s = %s * %d" % (c, c, times + 1) for c in sums))
    past = db.execute("SELECT value FROM meta WHERE key = 'past'").fetchone()
    db.execute("INSERT OR REPLACE INTO meta VALUES('past', ?)", ((past[0] if past else 0) + times * len(rows),))
    db.commit()
    db.close()
    h.inject(**{"store": {"day_offset": "+01:00"}})
    return times * len(rows) + len(rows)


def at(db):
    got = db.execute("SELECT value FROM meta WHERE key = 'reprice_at'").fetchone()
    return got[0] if got else 0


def repricing(h, *flags):
    return subprocess.Popen([SPANGATE, "prices", "reprice"] + list(flags) + ["-c", h.conf], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            cwd=h.root, text=True)


def killed(h, process, what):
    """kill -9 once a part of it is done; how far it has come."""
    db = open_store(h)
    reached = wait_until(lambda: at(db) > 0 or process.poll() is not None, 60, 0.001)
    h.kill9()
    far, last = at(db), db.execute("SELECT max(n) FROM span").fetchone()[0]
    db.close()
    ok(reached and 0 < far < last, what + ": killed in the middle", far, last, process.poll())
    out, err = process.communicate(timeout=60 * SLOW)
    ok(process.returncode == 1 and "next start" in err, what + ": who asked is told", process.returncode, out[-300:], err)
    return far


def broken_off():
    h = gateway()
    fill(h)
    count = copied(h, MANY // 9)
    h.start()
    verified(h, "of many spans")
    table(h, model_a=(3, 4), model_b=(1, 2.5), model_c=(5, 6))
    db = open_store(h)
    eq(db.execute("SELECT count(*) FROM span").fetchone()[0], count, "there are many spans")
    db.close()
    killed(h, repricing(h), "kill -9")
    start = len(h.lines)
    h.start()
    ok(h.wait_log("reprice: begins where it was broken off", 20, start), "it goes on at the next start", h.lines[start:])
    ok(h.wait_log("reprice: .* spans priced again", 120, start), "and ends")
    many_priced(h, "all are priced, and once", (3, 4), (1, 2.5), (5, 6))
    verified(h, "after kill -9")

    # a question that is refused at the start, as the tables are others by now, leaves nothing behind
    table(h, model_a=(1, 1), model_b=(1, 1), model_c=(1, 1))
    far = killed(h, repricing(h), "kill -9 again")
    verified(h, "killed in the middle, at %d" % far)
    table(h, model_a=(2, 2), model_b=(2, 2), model_c=(2, 2))
    start = len(h.lines)
    h.start()
    ok(h.wait_log("reprice: .*other price tables", 20, start), "other tables at the start: refused", h.lines[start:])
    start = len(h.lines)
    code, out, err = reprice(h)
    eq(code, 0, "asked once more") or note(out[-300:], err)
    ok(h.wait_log("reprice: begins$", 10, start), "it begins at the beginning", h.lines[start:])
    many_priced(h, "and all are priced", (2, 2), (2, 2), (2, 2))
    verified(h, "asked once more")
    beside(h)
    h.destroy()


def beside(h):
    """Requests while spans are priced again: they are answered as fast, and their spans are stored meanwhile."""
    def took():
        start = time.monotonic()
        r = chat(h, "n=3", model="model-a")
        return time.monotonic() - start, r
    idle = sorted(took()[0] for _ in range(50))
    table(h, model_a=(4, 2), model_b=(4, 2), model_c=(4, 2))
    db, process, times, last, between = open_store(h), repricing(h), [], None, 0
    wait_until(lambda: at(db) > 0 or process.poll() is not None, 60, 0.001)
    while process.poll() is None and at(db) > 0:
        spent, r = took()
        times.append(spent)
        stored = db.execute("SELECT count(*) FROM span WHERE id = ?", (bytes.fromhex(last),)).fetchone()[0] if last else 0
        if stored and at(db) > 0:
            between += 1
        if stored or last is None:
            last = r.get("x-spangate-span-id").replace("-", "")
    db.close()
    out, err = process.communicate(timeout=60 * SLOW)
    eq(process.returncode, 0, "beside requests it ends well") or note(err)
    times.sort()
    note("%d requests meanwhile, median %.1f ms (alone %.1f), worst %.1f ms; %d seen stored meanwhile" % (
        len(times), times[len(times) // 2] * 1e3, idle[25] * 1e3, times[-1] * 1e3, between))
    ok(len(times) > 5 and times[len(times) // 2] < idle[25] * 5 + 0.02 * SLOW, "requests are not delayed", times[-5:])
    ok(between > 0, "their spans are stored meanwhile", between)
    verified(h, "beside requests")


# older stores --------------------------------------------------------------------------
def aged(h):
    """Makes the store one of version 2, which knew neither costs nor rollups."""
    db = open_store(h)
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE name IN ('span_response', 'span_response_given', 'span_gateway', 'span_unnamed')").fetchall():
        db.execute("DROP INDEX " + name)
    db.executescript("UPDATE span SET cost_pico = NULL, cost_source = NULL; ALTER TABLE span DROP COLUMN counts; DROP INDEX edit_custom;"
                     "ALTER TABLE span DROP COLUMN span_path; ALTER TABLE span DROP COLUMN response_id;")
    older = ("span", "span_meta", "span_edit", "body", "cursor", "meta", "charge")
    for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'").fetchall():
        if name not in older:
            db.execute("DROP TABLE IF EXISTS " + name)
    db.execute("PRAGMA user_version = 2")
    db.close()


def older():
    h = gateway()
    table(h, model_a=(1, 2), model_b=(1, 2), model_c=(1, 2))
    with Raw(h.port) as c:
        c.post("/v1/responses", {"model": "model-a", "input": "x", "background": True}, [("x-fake", "background=1")])
        c.post(CHAT, chat_body(True, model="model-b"), [("x-fake", "n=7; usage=off")])
        c.post(CHAT, chat_body(model="model-b", disable_log=True), [("x-fake", "n=7")])
    with Raw(h.port) as c:      # cut off: its cache was told, the output is estimated
        c.post("/claude/v1/messages", dict(chat_body(True, model="model-b"), max_tokens=99), [("x-fake", "n=40; cut=20")])
    fill(h)
    spans = {s["id"]: s for s in h.spans(13)}
    eq(sorted(s["usage_source"] for s in spans.values() if s.get("usage_source")), ["estimated"] * 2 + ["provider"] * 9, "two are estimated")
    code, out, err = reprice(h)
    eq((code, lines_of(out)["all", ""][0]), (0, 0), "they have their costs already")
    h.stop()
    aged(h)
    h.start()
    ok(h.wait_log("is upgraded from version 2"), "a store of version 2 is upgraded")
    now = h.spans(13)
    eq([s["id"] for s in now if s["cost"] is not None or s.get("cost_details")], [], "it has no costs")
    verified(h, "of version 2")
    code, out, err = reprice(h)
    eq(code, 0, "they are priced") or note(err)
    kept = ("cost", "cost_source")
    wrong = []
    for s in h.export():
        was = spans[s["id"]]
        if was["status"] == "error" or was.get("disable_log"):
            continue        # an error that used nothing; records that are not there
        if [s.get(k) for k in kept] != [was.get(k) for k in kept]:
            wrong.append("%s: %r, was %r" % (s["model"], [s.get(k) for k in kept], [was.get(k) for k in kept]))
        if was.get("cost_details") and s.get("cost_details") != was["cost_details"]:
            wrong.append("details %r, were %r" % (s["cost_details"], was["cost_details"]))
    eq(wrong, [], "as they would have been by their time's version, unit prices and the provider's figure too")
    verified(h, "of version 2, priced")
    code, out, err = reprice(h)
    eq((code, lines_of(out)["all", ""][0]), (0, 0), "once")
    h.destroy()


class FigureConnection(Provider.connection):
    """figure=USD: the usage says what it cost; background=1: a response that is not done."""

    def completion(self, req, fake, body):
        out = super().completion(req, fake, body)
        if "figure" in fake:
            out["usage"]["cost"] = float(fake["figure"])
        return out

    def plain_body(self, req, fake, body, status):
        if "background" in fake:
            out = json.dumps({"id": "resp_1", "object": "response", "status": "queued", "background": True, "model": "model-a", "output": [],
                              "usage": None}).encode()
            return "application/json", out, len(out)
        return super().plain_body(req, fake, body, status)


class FigureProvider(Provider):
    connection = FigureConnection


p = FigureProvider()
main(gateway_up, gateway_down, lost_again, broken_off, older)
