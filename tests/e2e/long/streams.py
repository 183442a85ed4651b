# SPDX-License-Identifier: Apache-2.0
"""200 streams of 1,000 events at once, through bare sockets and the real clients, byte by byte as in a direct run."""
import hashlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import *  # noqa: E402

STREAMS, EVENTS = int(os.environ.get("STREAMS", "200")), int(os.environ.get("EVENTS", "1000"))
CLIENTS = os.environ.get("SPANGATE_CLIENTS", "")
PY = """
import asyncio, hashlib, json, sys, openai
base, streams, events = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
c = openai.AsyncOpenAI(base_url=base, api_key="sk-x", max_retries=0, timeout=300)
async def one(i):
    h, n = hashlib.sha256(), 0
    s = await c.chat.completions.create(model="m%d" % i, messages=[], stream=True, stream_options={"include_usage": True},
        extra_headers={"x-fake": "n=%d; id=%d; seed=%d; delay=0.1" % (events, i + 1, i)})
    async for chunk in s:
        h.update(chunk.model_dump_json().encode()); n += 1
    return [n, h.hexdigest()]
async def all():
    return await asyncio.gather(*(one(i) for i in range(streams)))
print(json.dumps(asyncio.run(all())))
"""
NODE = """
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import crypto from 'node:crypto';
const [, , base, streams, events, project] = process.argv;
const require = createRequire(project + '/package.json');
const mod = await import(pathToFileURL(require.resolve('openai')).href);
const OpenAI = mod.default?.OpenAI ?? mod.default;
const c = new OpenAI({ baseURL: base, apiKey: 'sk-x', maxRetries: 0 });
async function one(i) {
  const h = crypto.createHash('sha256'); let n = 0;
  const s = await c.chat.completions.create({ model: 'm' + i, messages: [], stream: true, stream_options: { include_usage: true } },
    { headers: { 'x-fake': `n=${events}; id=${i + 1}; seed=${i}; delay=0.1` } });
  for await (const chunk of s) { h.update(JSON.stringify(chunk)); n += 1; }
  return [n, h.digest('hex')];
}
console.log(JSON.stringify(await Promise.all([...Array(+streams).keys()].map(one))));
"""


def compare(name, run):
    t = time.monotonic()
    direct = run(p.url + "/v1", p.port)
    t1 = time.monotonic()
    through = run(g.url + "/v1", g.port)
    t2 = time.monotonic()
    if not ok(direct is not None and through is not None, name + ": ran"):
        return
    eq([n for n, _ in through], [EVENTS + 3] * STREAMS if name != "bare sockets" else [n for n, _ in direct], name + ": every event of every stream")
    differ = [i for i in range(STREAMS) if direct[i] != through[i]]
    ok(not differ, "%s: %d streams of %d events at once equal the direct run" % (name, STREAMS, EVENTS), differ[:10])
    note("%s: direct %.1f s, through %.1f s" % (name, t1 - t, t2 - t1))


def sockets(_, port):
    def one(i):
        r = chat(g, "n=%d; id=%d; seed=%d; delay=0.1" % (EVENTS, i + 1, i), True, port=port, model="m%d" % i, stream_options={"include_usage": True})
        return [len(r.body), hashlib.sha256(r.body).hexdigest()]
    return parallel(STREAMS, one)


def script(argv, text, suffix):
    path = os.path.join(g.root, "client" + suffix)
    with open(path, "w") as f:
        f.write(text)

    def run(base, _):
        r = subprocess.run(argv + [path, base, str(STREAMS), str(EVENTS), os.path.join(CLIENTS, "node")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        if r.returncode:
            note(r.stderr.decode()[-1500:])
            return None
        return json.loads(r.stdout)
    return run


def bare():
    compare("bare sockets", sockets)


def python():
    exe = os.path.join(CLIENTS, "new", "bin", "python")
    if not CLIENTS or not os.path.exists(exe):
        return skip("openai Python", "not in $SPANGATE_CLIENTS (contrib/clients makes it)")
    compare("openai Python", script([exe], PY, ".py"))


def node():
    if not CLIENTS or not os.path.isdir(os.path.join(CLIENTS, "node", "node_modules", "openai")):
        return skip("openai Node", "not in $SPANGATE_CLIENTS (contrib/clients makes it)")
    compare("openai Node", script(["node"], NODE, ".mjs"))


def spans():
    done = len([q for q in p.requests if q.header("x-fake")]) // 2
    got = g.spans(done, 60)
    eq(len(got), done, "a span for each")
    eq({(s.get("status"), s.get("completion_tokens")) for s in got}, {("success", EVENTS)}, "with the right count")
    eq(g.run("verify")[0], 0, "verify")


raise_nofile()
p = Provider()
g = Gateway(p)
main(bare, python, node, spans)
