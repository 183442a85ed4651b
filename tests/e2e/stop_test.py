#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stopping, reloading, and starting twice."""
from harness import *


def drain():
    p = Provider()
    g = Gateway(p, {"drain_timeout": "10s"})
    results = []
    ts = [threading.Thread(target=lambda: results.append(chat(g, "n=40; delay=15; usage=on", True))) for _ in range(20)]
    for t in ts:
        t.start()
    p.wait(20)
    wait_until(lambda: all(q.sent_events > 2 for q in p.requests), 5)
    g.signal(signal.SIGTERM)

    def refused():
        try:
            Raw(g.port, timeout=1).close()
            return False
        except OSError:
            return True
    ok(wait_until(refused, 2), "SIGTERM: no new connections")
    for t in ts:
        t.join()
    eq(sum(r.end == "chunked" and r.body.endswith(b"data: [DONE]\n\n") for r in results), 20, "20 open streams end whole")
    eq(g.wait(10), 0, "exit 0")
    spans = g.export()
    eq((len(spans), {s.get("status") for s in spans}), (20, {"success"}), "20 spans, all successes, already stored")
    eq(g.run("verify")[0], 0, "verify")
    g.destroy()


def drain_ends():
    p = Provider()
    g = Gateway(p, {"drain_timeout": "400ms"})
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "n=9; stall=4")], json.dumps(chat_body(True)).encode()))
        r = c.head()
        c.body(r, until=lambda r: len(sse(r.body)) >= 4)
        t = time.monotonic()
        g.signal(signal.SIGTERM)
        eq((g.wait(10), time.monotonic() - t < 3 * SLOW), (0, True), "a stream without end is cut at drain_timeout, exit 0")
    s = g.export()
    ok(len(s) == 1 and s[0].get("status") == "error" and s[0].get("end_reason") == "interrupted" and
       (s[0].get("output") or {}).get("content") == "".join(words(9)[:3]), "its span says interrupted, with what came", s and s[0].get("end_reason"))
    g.destroy()


def everybody_has_left():
    """Clients that leave at the very moment of the stop: nothing is open, so nothing is waited for."""
    p = Provider()
    for _ in range(3):
        g = Gateway(p, {"threads": 1})
        before, socks = len(p.requests), []
        for _ in range(150):
            c = Raw(g.port)
            c.send(c.request_bytes("POST", CHAT, [("x-fake", "never=1")], json.dumps(chat_body(True)).encode()))
            socks.append(c)
        p.wait(before + 150)
        for c in socks:
            c.close()
        t = time.monotonic()
        g.signal(signal.SIGTERM)
        code = g.wait(12)
        if not ok(code == 0 and time.monotonic() - t < 5 * SLOW, "150 clients leave and it is stopped at once: no wait", code, time.monotonic() - t):
            break
        g.destroy()


def idle_stop():
    p = Provider()
    g = Gateway(p)
    with Raw(g.port) as c:
        c.get("/healthz")
        t = time.monotonic()
        g.signal(signal.SIGTERM)
        eq(g.wait(10), 0, "an idle gateway stops")
        ok(time.monotonic() - t < 2 * SLOW, "at once, though a client's connection is open", time.monotonic() - t)
    g.start()
    g.signal(signal.SIGINT)
    eq(g.wait(10), 0, "SIGINT too")
    g.destroy()


def reload():
    p, q = Provider(), Provider()
    g = Gateway(p)
    eq(chat(g).status, 200, "before")
    with Raw(g.port) as open_before:
        open_before.get("/healthz")
        g.config["providers"]["fake"]["base_url"] = q.url + "/v1"
        g.write_config()
        n = len(g.lines)
        g.signal(signal.SIGHUP)
        ok(g.wait_log("(?i)reload|settings|config", 5, n), "SIGHUP: a log line", g.lines[n:])
        ok(wait_until(lambda: chat(g).status == 200 and len(q.requests) > 0, 5), "the new settings are in force", len(q.requests))
        before = len(q.requests)
        r = open_before.post(CHAT, chat_body())
        ok(r and r.status == 200, "a connection from before serves on", r)
    before = len(q.requests)
    g.write_config("listen: 127.0.0.1:0\nproviders:\n  fake: { api: openai, base_url: 'x', nonsense: 3 }\n")
    n = len(g.lines)
    g.signal(signal.SIGHUP)
    line = g.wait_log(r"spangate\.yaml:\d+", 5, n)
    ok(line and "nonsense" in line or line, "a broken file: the log names file and line", g.lines[n:])
    eq((chat(g).status, len(q.requests)), (200, before + 1), "and the old settings stay")
    g.destroy()


def second_instance():
    p = Provider()
    g = Gateway(p)
    h = Gateway(p, data_dir=g.data, start=False)
    h.start(wait=False)
    code = h.wait(10)
    ok(code not in (0, None) and any(str(g.pid) in ln for ln in h.lines), "a second instance on the same data refuses and names the pid", code, h.lines[-3:], g.pid)
    eq(chat(g).status, 200, "the first goes on")
    h.destroy()
    g.destroy()


def bad_settings():
    p = Provider()
    for text, what in (("listen: 127.0.0.1:0\nlisten_port: 3\n", r"spangate\.yaml:2.*listen_port"), ("threads: many\n", r"spangate\.yaml:1.*threads"),
                       ("providers:\n  a: { api: openai, base_url: 'ftp://x' }\n", r"spangate\.yaml:2"), ("listen: [\n", r"spangate\.yaml:\d"),
                       ("providers:\n  a: { api: openai, base_url: \"${NO_SUCH_VARIABLE_X}\" }\n", r"NO_SUCH_VARIABLE_X"), ("journal: 5\n", r"spangate\.yaml:1.*journal")):
        g = Gateway(p, start=False)
        g.write_config(text)
        code, out, err = g.run("check-config")
        ok(code not in (0, None) and re.search(what, out + err), "check-config: %r" % text.splitlines()[-1], code, out, err)
        g.start(wait=False)
        ok(g.wait(10) not in (0, None), "and serve does not start")
        g.destroy()
    g = Gateway(p)
    code, out, err = g.run("check-config")
    eq(code, 0, "check-config on a good file") or note(out, err)
    g.destroy()


def flags():
    p = Provider()
    root = tempfile.mkdtemp(prefix="spangate-test-")
    g = Gateway(p, start=False)
    g.config = {}
    for argv in (["--help"], ["--version"], ["serve", "--help"], ["spans", "--help"]):
        r = subprocess.run([SPANGATE] + argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10)
        ok(r.returncode == 0 and len(r.stdout) > 10, "spangate " + " ".join(argv), r.returncode, r.stderr[:300])
    r = subprocess.run([SPANGATE, "--nonsense"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10)
    ok(r.returncode not in (0, None) and b"nonsense" in r.stderr, "an unknown flag is refused", r.returncode, r.stderr[:200])
    r = subprocess.run([SPANGATE, "nonsense"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=10)
    ok(r.returncode not in (0, None) and b"nonsense" in r.stderr, "an unknown subcommand is refused", r.returncode, r.stderr[:200])
    proc = subprocess.Popen([SPANGATE, "--listen", "127.0.0.1:0", "--upstream", p.url + "/v1", "--data-dir", root + "/d", "--threads", "1"],
                            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    port = None
    for ln in proc.stderr:
        m = re.search(rb"listening on (?:http://)?127\.0\.0\.1:(\d+)", ln)
        if m:
            port = int(m.group(1))
            break
    threading.Thread(target=lambda: proc.stderr.read(), daemon=True).start()
    if ok(port, "no file, only flags: it starts and says where it listens"):
        eq(chat(g, "n=2", True, port=port).status, 200, "and serves")
        r = subprocess.run([SPANGATE, "spans", "list", "--format", "json", "--data-dir", root + "/d"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until(lambda: subprocess.run([SPANGATE, "spans", "export", "--format", "jsonl", "--data-dir", root + "/d"],
                                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.count(b"\n") == 1, 5)
        for how in (["list"], ["list", "--format", "table"], ["list", "--format", "json"], ["export", "--format", "jsonl"], ["export", "--format", "csv"]):
            r = subprocess.run([SPANGATE, "spans"] + how + ["--data-dir", root + "/d"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            ok(r.returncode == 0 and b"gpt-test" in r.stdout, "spans " + " ".join(how), r.returncode, r.stdout[:200], r.stderr[:200])
        sid = json.loads(subprocess.run([SPANGATE, "spans", "export", "--format", "jsonl", "--data-dir", root + "/d"], stdout=subprocess.PIPE).stdout)["id"]
        r = subprocess.run([SPANGATE, "spans", "get", sid, "--format", "json", "--data-dir", root + "/d"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ok(r.returncode == 0 and sid.encode() in r.stdout, "spans get ID", r.returncode, r.stdout[:200], r.stderr[:200])
        r = subprocess.run([SPANGATE, "spans", "get", "0" * 32, "--data-dir", root + "/d"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ok(r.returncode != 0 and r.stderr, "spans get of an unknown id", r.returncode)
    proc.terminate()
    eq(proc.wait(10), 0, "exit 0")
    shutil.rmtree(root, ignore_errors=True)
    g.destroy()


main(drain, drain_ends, everybody_has_left, idle_stop, reload, second_instance, bad_settings, flags)
