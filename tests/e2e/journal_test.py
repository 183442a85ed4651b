#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""spangate journal: list, check and print, with the gateway up, killed, and on a damaged copy."""
from harness import *


def segments(g):
    return sorted(f for f in g.data_files() if f.endswith(".seg") and os.path.getsize(f) > 0)


def open_exchange():
    """A request that the provider never answers, and one that was; then kill -9."""
    chat(g, "n=3", custom_identifier="whole")
    with Raw(g.port) as c:
        c.send(c.request_bytes("POST", CHAT, [("x-fake", "never=1")],
                               json.dumps(chat_body(custom_identifier="left-open")).encode()))
        ok(p.wait(2), "the provider has both requests")
        code, out, err = g.run("journal", "list")
        eq(code, 0, "list with the gateway up") or note(out, err)
        rows = [ln.split() for ln in out.splitlines()[1:]]
        ok(rows and all(r[-1] == "live" for r in rows), "its series are live", out)
        eq(sum(int(r[4]) for r in rows), 1, "one exchange is open")
        code, out, err = g.run("journal", "check")
        eq(code, 0, "check with the gateway up") or note(out, err)
        g.kill9()


def killed():
    code, out, err = g.run("journal", "list")
    ok(code == 0 and " ended" in out and " live" not in out, "after kill -9 they have ended", out, err)
    eq(g.run("journal", "check")[0], 0, "check finds no damage")
    code, out, err = g.run("journal", "print")
    begins = [ln for ln in out.splitlines() if " BEGIN " in ln]
    eq((code, len(begins)), (0, 2), "print shows both BEGINs") or note(out, err)
    ok("reason=complete" in out and "method=\"POST\"" in out, "reasons and fields in words")
    cut = next(ln for ln in begins if "left-open" in ln or "left-open" in g.run("journal", "print", "--bodies", "--id", ln.split()[2])[1])
    name, at, ident = out.split("\n")[0].split()[-1], cut.split()[0], cut.split()[2]
    code, one, err = g.run("journal", "print", "--id", ident[:20].upper())
    lines = [ln for ln in one.splitlines() if not ln.startswith("#")]
    ok(lines and all(ln.split()[2] == ident for ln in lines), "--id shows one exchange", one)
    ok(not any(" END " in ln for ln in lines), "which has no END")
    names = [ln.split()[1] for ln in out.splitlines() if ln.startswith("#")]
    found = [n for n in names if g.run("journal", "print", n, at)[1].startswith(at + " BEGIN " + ident)]
    ok(found, "a series can be read from a position")
    eq(g.run("journal", "print", "nonsense")[0], 2, "no such series name")
    eq(g.run("journal", "print", names[0], "x")[0], 2, "no such position")
    eq(g.run("journal", "print", "--id", "xyz")[0], 2, "no such id")
    eq(g.run("journal", "fetch")[0], 2, "no such word")


def damaged():
    name = next(f for f in segments(g) if b"left-open" in open(f, "rb").read())
    whole = open(name, "rb").read()
    at = whole.index(b"whole") if b"whole" in whole else 200
    with open(name, "r+b") as f:
        f.seek(at)
        f.write(bytes([whole[at] ^ 1]))
    code, out, err = g.run("journal", "check")
    ok(code == 1 and "DAMAGED" in out, "check finds a flipped bit", out, err)
    with open(name, "wb") as f:
        f.write(whole)
    eq(g.run("journal", "check")[0], 0, "and nothing when it is put right")


def newer():
    for name in segments(g)[:1]:
        whole = open(name, "rb").read()
        with open(name, "r+b") as f:
            f.seek(8)
            f.write(b"\x63")
        code, out, err = g.run("journal", "check")
        ok(code == 1 and "newer spangate" in err, "a newer version is told", out, err)
        g.start(wait=False)
        ok(g.wait() not in (0, None), "and the gateway does not start on it")
        ok(any("newer spangate" in ln and os.path.basename(name) in ln for ln in g.lines), "and says why", "\n".join(g.lines[-4:]))
        with open(name, "wb") as f:
            f.write(whole)


def recovered():
    g.start()
    ok(wait_until(lambda: any(s.get("end_reason") == "interrupted" for s in g.export()), 10), "the open one is a span after the restart")
    eq(g.run("journal", "check")[0], 0, "the recovered journal is well")
    ok(wait_until(lambda: g.run("journal", "list")[1].count("ended") == 0, 10), "what the store has is deleted")
    g.stop()
    eq(segments(g), [], "a clean stop leaves no segment behind")


p = Provider()
g = Gateway(p, {"threads": 1})
main(open_exchange, killed, damaged, newer, recovered)
