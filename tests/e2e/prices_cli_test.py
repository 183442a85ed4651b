#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`spangate prices` as its user sees it: what is printed, exit codes, errors that name file, line and entry. And price
files under a gateway that runs: a broken one changes nothing, a good one counts from the next request on."""
from harness import *

OWN = {"format": 1, "name": "ours", "updated": "2026-11-01", "prices": [
    {"provider": "openai", "match": ["gpt-test"], "per_million_tokens": {"input": 1, "cache_read": 0.5, "output": 2}},
    {"provider": "openai", "match": ["gpt-old"], "until": "2026-01-01", "per_million_tokens": {"input": 9, "output": 9}},
    {"provider": "openai", "match": ["gpt-old"], "from": "2026-01-01", "per_million_tokens": {"input": 7, "output": 7}}]}
LITELLM = {"sample_spec": {"mode": "chat"},
           "gpt-lite": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.5e-06,
                        "output_cost_per_token": 6e-06, "input_cost_per_token_above_200k_tokens": 3e-06},
           "groq/odd": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_gallon": 1}}
GENAI = [{"id": "x-ai", "models": [{"id": "grok-test", "match": {"or": [{"equals": "grok-test"},
          {"regex": r"^grok-test-\d{4}$"}]}, "prices": [{"prices": {"input_mtok": 2}},
          {"constraint": {"start_date": "2026-06-01"}, "prices": {"input_mtok": {"base": 3, "tiers": [
              {"start": 128000, "price": 6}]}}}]}]}]


def prices_file(name, content):
    """Lines as json.dumps makes them, one an entry of ours, so that lines can be told."""
    path = os.path.join(g.root, name)
    with open(path, "w") as f:
        if isinstance(content, dict) and "prices" in content:
            head = json.dumps({k: v for k, v in content.items() if k != "prices"})
            f.write(head[:-1] + ', "prices": [\n' + ",\n".join(map(json.dumps, content["prices"])) + "\n]}\n")
        else:
            f.write(content if isinstance(content, str) else json.dumps(content))
    return path


def changed(entry, **members):
    """Our file with its second entry changed."""
    return dict(OWN, prices=[OWN["prices"][0], dict(OWN["prices"][entry], **members)])


def show():
    code, out, err = g.run("prices", "show", "gpt-test")
    ok(code == 0 and out.splitlines()[0] == "ours 2026-11-01, line 2:" and len(out.splitlines()) == 2 and err == "",
       "show: the table and the line", code, out, err)
    eq(json.loads(out.splitlines()[1]), OWN["prices"][0], "show: the entry as the file has it")
    for name in ("GPT-Test", "openai/gpt-test", "gpt-test-2026-08-01"):
        eq(g.run("prices", "show", name)[1], out, "show %s: by a spelling of the name" % name)
    code, out, err = g.run("prices", "show", "gpt-old")
    eq((code, len(out.splitlines())), (0, 4), "show: all entries of a name")
    for at, rate in (("2025-12-31", 9), ("2025-12-31T23:59:59Z", 9), ("2026-01-01", 7)):
        code, out, err = g.run("prices", "show", "gpt-old", "--at", at)
        eq(json.loads(out.splitlines()[1])["per_million_tokens"]["input"] if code == 0 else err, rate, "show at " + at)
    code, out, err = g.run("prices", "show", "gpt-4o")
    ok(code == 0 and out.startswith("spangate 20") and '"provider": "openai"' in out, "show: of the built-in table", out[:300])
    code, out, err = g.run("prices", "show", "gpt-test", "--provider", "azure")
    ok(code == 0 and out.startswith("azure has no price of its own for it; its maker's counts:\n"), "show: a reseller", out)
    code, out, err = g.run("prices", "show", "meta/llama:free", "--provider", "openrouter")
    eq((code, out), (0, "meta/llama:free costs nothing\n"), "show: what costs nothing")
    for args in (("no-such",), ("gpt-test", "--provider", "groq"), ("gpt-test-mini",), ("",)):
        code, out, err = g.run("prices", "show", *args)
        ok(code == 1 and out == "" and "no price is known for " + args[0] in err, "show %s: none" % " ".join(args), code, err)
    code, out, err = g.run("prices", "show", "gpt-old", "--at", "yesterday")
    ok(code != 0 and out == "" and "yesterday" in err, "show: a time that is none", code, err)


def wrong_calls():
    for args in ((), ("show",), ("show", "a", "b"), ("import",), ("cost", "x"), ("explain",)):
        code, out, err = g.run("prices", *args)
        ok(code == 2 and out == "" and "show MODEL, import FILE" in err, "prices %s: usage" % " ".join(args), code, err)
    code, out, err = g.run("prices", "--help")
    ok(code == 0 and "reprice" in out and err == "", "--help", out)


def imports():
    lite, genai = prices_file("lite.json", LITELLM), prices_file("genai.json", GENAI)
    code, out, err = g.run("prices", "import", lite)
    got = json.loads(out) if code == 0 else err
    eq(got, {"format": 1, "name": "lite.json", "prices": [
        {"provider": "openai", "match": ["gpt-lite"], "per_million_tokens": {"input": 1.5, "output": 6},
         "tiers": [{"prompt_over": 200000, "per_million_tokens": {"input": 3}}]}]}, "import: LiteLLM's")
    ok("1 entries\n" in err and "odd has no price of a kind that is known here" in err, "import: what was left out", err)
    code, out, err = g.run("prices", "import", genai)
    got = json.loads(out)["prices"] if code == 0 else err
    eq(got, [{"provider": "xai", "match": ["grok-test", "grok-test-####"], "per_million_tokens": {"input": 2}},
             {"provider": "xai", "match": ["grok-test", "grok-test-####"], "from": "2026-06-01",
              "per_million_tokens": {"input": 3}, "tiers": [{"prompt_over": 128000, "per_million_tokens": {"input": 6}}]}],
       "import: genai-prices'")
    again = prices_file("again.json", out)
    eq(g.run("prices", "import", again)[1], out, "import: what it printed, once more")
    code, out, err = g.run("prices", "check", again)
    eq((code, out, err), (0, "%s: good, 2 entries\n" % again, ""), "and it is right")
    code, out, err = g.run("prices", "import", os.path.join(g.root, "none.json"))
    ok(code == 1 and out == "" and "none.json: No such file" in err, "import: no file", code, err)


def check():
    code, out, err = g.run("prices", "check")
    ok(code == 0 and err == "" and re.fullmatch(r"%s: good, 3 entries\nbuilt in: spangate 20\S+, \d{4} entries\n" %
                                                re.escape(ours), out), "check: those of the settings", out, err)
    cases = [
        ("an unknown member", changed(1, per_token=1), ":3: entry 2 (gpt-old): unknown member \"per_token\" of an entry"),
        ("a rate below zero", changed(1, per_million_tokens={"input": -1}), ":3: entry 2 (gpt-old): -1 is negative"),
        ("a day that is none", changed(1, until="2026-02-30"), ":3: entry 2 (gpt-old): \"2026-02-30\" is not a day YYYY-MM-DD"),
        ("a name twice", changed(0), ":3: entry 2 (gpt-test): gpt-test stands in the entry of line 2 already"),
        ("no JSON", '{"format": 1,\n"name": "x",\n"prices": [,]}', ":3: not valid JSON"),
        ("no price file", "[", ":1: not valid JSON"),
        ("another object", '{"listen": 1}', ":1: no price file"),
        ("nothing", "", ":1: not valid JSON"),
        ("another format", {"format": 3, "name": "x", "prices": []}, ":1: format 3 is not known, only 1"),
    ]
    for name, content, want in cases:
        path = prices_file("bad.json", content)
        code, out, err = g.run("prices", "check", path)
        ok(code == 1 and out == "" and path + want in err, "check: " + name, code, out, err)
    code, out, err = g.run("prices", "check", path, ours)
    ok(code == 1 and out == "%s: good, 3 entries\n" % ours and path in err, "check: of several each is looked at", out, err)


def cost():
    lines = [
        {"id": "a", "model": "gpt-test", "provider": "openai", "usage": {
            "prompt_tokens": 17, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 4}}},
        {"id": 2, "model": "gpt-old", "at": "2025-06-01", "usage": {"prompt_tokens": 1000, "completion_tokens": 0}},
        {"id": None, "model": "gpt-old", "at": 1767225600, "usage": {"prompt_tokens": 1000, "completion_tokens": 0}},
        {"id": "d", "model": "no-such", "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
        {"id": "e", "model": "gpt-test", "service_tier": "flex", "usage": {"prompt_tokens": 1, "completion_tokens": 0}},
        {"id": "f", "model": "tts-1", "provider": "openai", "log_type": "speech", "usage": {"characters": 43}},
        {"id": "g", "model": "gpt-4o", "provider": "openai", "usage": {"prompt_tokens": 1000, "completion_tokens": 200,
                                                                     "prompt_tokens_details": {"cached_tokens": 600}}},
    ]
    text = "\n".join(json.dumps(ln) for ln in lines) + "\n\n"
    code, out, err = g.run("prices", "cost", input=text.encode())
    got = [json.loads(ln) for ln in out.splitlines()]
    eq((code, err), (0, ""), "cost: all lines are read")
    eq([o["id"] for o in got], [ln["id"] for ln in lines], "cost: a line each, with its id")
    eq(re.findall(r'^{"id":[^,]+,"cost":([0-9.]+|null)', out, re.M),
       ["0.000023", "0.009", "0.007", "null", "0.000001", "0.000645", "0.00375"], "cost: to the last digit")
    eq([o["cost_source"] for o in got],
       ["user_table", "user_table", "user_table", "unknown", "user_table", "table", "table"], "cost: by which tables")
    eq([sorted(o["warnings"] or {}) for o in got], [[], [], [], ["price_unknown"], ["tier_unpriced"], [], []],
       "cost: warnings")
    d = got[0]["cost_details"]
    eq([(ln["kind"], ln["units"], ln["rate"], ln["amount"]) for ln in d["lines"]],
       [("input", 13, 1, 0.000013), ("cache_read", 4, 0.5, 0.000002), ("output", 4, 2, 0.000008)], "cost: its lines")
    eq(d["price"], {"table": "ours 2026-11-01", "provider": "openai", "match": "gpt-test", "service_tier": "standard"},
       "cost: by which entry")
    bad = ['{"id": 1}', '{"id": 2, "model": "m"}', "[1]", "{", '{"id": 5, "model": "m", "usage": {}, "at": "noon"}',
           json.dumps(lines[0])]
    code, out, err = g.run("prices", "cost", input="\n".join(bad).encode())
    got = [json.loads(ln) for ln in out.splitlines()]
    eq((code, [o["id"] for o in got]), (1, [1, 2, None, None, 5, "a"]), "cost: bad lines have an answer too")
    eq([o.get("error") for o in got], ["line 1: model is missing or no text", "line 2: usage is missing or no object",
                                       "line 3: not a JSON object", "line 4: not a JSON object",
                                       "line 5: at is neither a time nor seconds since 1970", None], "cost: which says why")
    ok(all(o["error"] in err for o in got[:-1]) and got[-1]["cost"] == 0.000023, "cost: on standard error too", err)
    eq(g.run("prices", "cost", input=b""), (0, "", ""), "cost: nothing in, nothing out")


def span_cost():
    r = chat(g, "n=4")
    s = g.span(r)
    return s.get("cost"), s.get("cost_source"), ((s.get("cost_details") or {}).get("price") or {}).get("table")


def reload():
    """What SIGHUP does with price files."""
    eq(span_cost(), (0.000023, "user_table", "ours 2026-11-01"), "a request is billed by the file of the settings")
    dear = dict(OWN, name="dear", prices=[{"match": ["gpt-test"], "per_million_tokens": {"input": 10, "output": 20}}])
    prices_file("ours.json", dict(dear, prices=dear["prices"] + [{"match": ["x"], "per_token": 1}]))
    n = len(g.lines)
    g.signal(signal.SIGHUP)
    line = g.wait_log("reload", 10, n)
    ok(line and ours + ':3: entry 2 (x): unknown member "per_token" of an entry' in line and "stay as they were" in line,
       "a broken file: the log names file, line and entry", g.lines[n:])
    eq(span_cost(), (0.000023, "user_table", "ours 2026-11-01"), "and the old table stays in force")
    prices_file("ours.json", dear)
    n = len(g.lines)
    g.signal(signal.SIGHUP)
    ok(g.wait_log("reload: new settings are in use", 10, n), "a good file: it is in use", g.lines[n:])
    eq(span_cost(), (0.00025, "user_table", "dear 2026-11-01"), "and the next request costs more")
    os.remove(ours)
    n = len(g.lines)
    g.signal(signal.SIGHUP)
    line = g.wait_log("reload", 10, n)
    ok(line and "ours.json: No such file" in line, "a file that is gone: the log names it", g.lines[n:])
    eq(span_cost()[:2], (0.00025, "user_table"), "and what was read of it stays in force")


def start():
    """A gateway does not start with a broken file."""
    h = Gateway(p, {"prices": ["bad.json"]}, start=False)
    bad = os.path.join(h.root, "bad.json")
    h.inject(prices=[bad])
    with open(bad, "w") as f:
        f.write('{"format": 1, "name": "x", "prices": [\n{"match": ["m"], "per_second": {"audio_in": "fast"}}]}')
    h.start(wait=False)
    code = h.wait(10)
    ok(code == 1 and any(bad + ":2: entry 1 (m): \"fast\" is not a decimal number" in ln for ln in h.lines),
       "a broken file at the start", code, h.lines)
    code, out, err = h.run("check-config")
    ok(code == 1 and bad + ":2: entry 1 (m)" in out + err, "check-config tells it too", code, out, err)
    code, out, err = h.run("prices", "show", "gpt-4o")
    ok(code == 1 and bad in err, "and show", code, err)
    eq(h.run("prices", "check", ours_good)[0], 0, "another file can be checked beside it")
    h.destroy()


p = Provider()
g = Gateway(p, start=False)
ours = prices_file("ours.json", OWN)
ours_good = prices_file("good.json", OWN)
g.inject(prices=[ours])
g.config["providers"]["openai"] = g.config["providers"].pop("fake")
g.write_config()
g.start()
main(show, wrong_calls, imports, check, cost, start, reload)
