#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real client libraries: what an application sees through the gateway equals what it sees without.
They are looked for in $SPANGATE_CLIENTS, which contrib/clients makes; what is not there is skipped."""
from harness import *

CLIENTS = os.environ.get("SPANGATE_CLIENTS", "")


def python(venv):
    path = os.path.join(CLIENTS, venv, "bin", "python")
    return path if CLIENTS and os.path.exists(path) else None


def run(argv):
    r = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60 * SLOW)
    if r.returncode != 0:
        return {"failed": r.stderr.decode()[-1500:]}
    return json.loads(r.stdout)


def compare(name, direct, through):
    if "failed" in direct or "failed" in through:
        ok(False, name + ": ran", direct.get("failed"), through.get("failed"))
        return
    note("%s %s" % (name, direct["version"]))
    a, b = direct["result"], through["result"]
    for k in sorted(set(a) | set(b)):
        ok(a.get(k) == b.get(k), "%s: %s" % (name, k), "direct  %s" % json.dumps(a.get(k))[:1200], "through %s" % json.dumps(b.get(k))[:1200])


def openai_python():
    script, names, runs = os.path.join(HERE, "client_py.py"), [], []
    for venv in ("new", "old"):
        exe = python(venv)
        for mode in ("sync", "async"):
            name = "openai Python (%s, %s)" % (venv, mode)
            if not exe:
                skip(name, "no %s/bin/python in $SPANGATE_CLIENTS (contrib/clients makes it)" % venv)
                continue
            names.append(name)
            runs += [[exe, script, p.url + "/v1", "direct-" + mode], [exe, script, g.url + "/v1", "gateway-" + mode]]
    got = parallel(len(runs), lambda i: run(runs[i]))
    for i, name in enumerate(names):
        compare(name, got[2 * i], got[2 * i + 1])


def openai_node():
    project = os.path.join(CLIENTS, "node")
    if not CLIENTS or not os.path.isdir(os.path.join(project, "node_modules", "openai")) or not shutil.which("node"):
        return skip("openai Node", "no node with node_modules/openai in $SPANGATE_CLIENTS (contrib/clients makes it)")
    script = os.path.join(HERE, "client_node.mjs")
    compare("openai Node", run(["node", script, p.url + "/v1", project, "direct"]), run(["node", script, g.url + "/v1", project, "gateway"]))


def anthropic_python():
    exe = python("new")
    if not exe or subprocess.run([exe, "-c", "import anthropic"], stderr=subprocess.DEVNULL).returncode != 0:
        return skip("anthropic Python", "not installed in $SPANGATE_CLIENTS (contrib/clients makes it)")
    script = os.path.join(HERE, "client_anthropic.py")
    bases = [p.url] + [g.url + x for x in ("", "/anthropic", "/api/anthropic")]
    got = parallel(len(bases), lambda i: run([exe, script, bases[i]]))
    for base, through in zip(("/", "/anthropic/", "/api/anthropic/"), got[1:]):
        compare("anthropic Python at " + base, got[0], through)


def spans():
    if CLIENTS:
        n = len([q for q in p.requests if q.header("x-stainless-lang") and q.header("host")])
        got = g.export()
        ok(len(got) >= n // 3, "spans came of it", len(got), n)
        code, out, err = g.run("verify")
        eq(code, 0, "verify") or note(out, err)


p = Provider()
g = Gateway(p, {"providers": {"fake": {"api": "openai", "base_url": p.url + "/v1", "usage": "ask"},
                              "ant": {"api": "anthropic", "base_url": p.url}}})
main(openai_python, openai_node, anthropic_python, spans)
