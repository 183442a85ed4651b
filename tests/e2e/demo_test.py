#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""spangate demo: its samples and their spans, its end, what it refuses, and that it says it is pretend."""
from harness import *

# (model, log_type, status code) of each sample's span, in order; None: not looked at.
SAMPLES = (
    [("pretend-chat-1", "chat", 200)] * 2 + [("pretend-chat-1-mini", "chat", 200)] +
    [("pretend-chat-1", "chat", 200)] * 2 + [("pretend-chat-1-mini", "chat", 200)] +
    [("pretend-reasoner-2", "chat", 200)] * 2 +
    [("pretend-unknown-9", "chat", 404), ("pretend-busy-1", "chat", 429)] +
    [("pretend-text-1", "completion", 200)] * 2 +
    [("pretend-chat-1", "response", 200), ("pretend-reasoner-2", "response", 200)] +
    [("pretend-failing-1", "response", 200)] * 2 +
    [("pretend-embedding-3-small", "embedding", 200)] * 2 + [("pretend-tts-1", "speech", 200)] * 3 +
    [(None, "transcription", 200)] * 3 + [(None, None, 200)] +
    [("pretend-messages-4", "chat", 200)] * 4 + [("pretend-messages-4", None, 200)] +
    [("pretend-image-1", None, 200), ("pretend-moderation-1", None, 200), ("pretend-rerank-1", None, 200), (None, None, 200)])


class Demo:
    """A demo of our own; its output line by line as it comes."""

    def __init__(self, *args, env=None):
        self.out, self.more = [], threading.Condition()
        self.proc = subprocess.Popen([SPANGATE, "demo", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})),
                                     preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
        self.err = b""
        self.threads = [threading.Thread(target=self.read), threading.Thread(target=self.read_errors)]
        for t in self.threads:
            t.start()

    def read(self):
        for ln in self.proc.stdout:
            with self.more:
                self.out.append(ln.decode("utf-8", "replace").rstrip("\n"))
                self.more.notify_all()
        with self.more:
            self.out.append(None)
            self.more.notify_all()

    def read_errors(self):
        self.err = self.proc.stderr.read()

    def line(self, pattern, timeout=60):
        """The first line that matches, waited for; None: it did not come."""
        rx = re.compile(pattern)
        find = lambda: next((m for m in (rx.search(ln) for ln in self.out if ln is not None) if m), None)
        with self.more:
            self.more.wait_for(lambda: find() or None in self.out, timeout * SLOW)
            return find()

    def end(self, timeout=60):
        """The exit code and the whole output."""
        try:
            code = self.proc.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            code = None
        for t in self.threads:
            t.join()
        return code, [ln for ln in self.out if ln is not None]


def closed(port):
    try:
        Raw(port, timeout=1).close()
        return False
    except OSError:
        return True


def port_of(demo, what):
    m = demo.line(r"^%s +http://127\.0\.0\.1:(\d+)" % what)
    return int(m.group(1)) if m else 0


def once():
    """Every sample has the answer that it must have, and its span; then nothing is left running."""
    data = tempfile.mkdtemp(prefix="spangate-test-")
    d = Demo("--once", "--listen", "127.0.0.1:0", "--data-dir", data)
    ports = [port_of(d, "gateway"), port_of(d, "provider")]
    code, out = d.end()
    text = "\n".join(out)
    eq((code, d.err), (0, b""), "demo --once: exit 0, nothing on standard error")
    ok(all(ports), "port 0 is one, and it is printed", text)
    ok("pretend" in out[0] and "No model is asked" in text, "it says that it is pretend", text)
    eq(sum(re.match(r" *\d+/%d  " % len(SAMPLES), ln) is not None for ln in out), len(SAMPLES), "a line for each sample")
    ok("NOT AS EXPECTED" not in text and "%d samples, %d spans" % (len(SAMPLES), len(SAMPLES)) in text,
       "all answers as they must be, a span each", text)
    ok(all(closed(p) for p in ports), "nothing listens any more")

    p = subprocess.run([SPANGATE, "spans", "export", "--data-dir", data], stdout=subprocess.PIPE, timeout=60 * SLOW)
    spans = [json.loads(ln) for ln in p.stdout.splitlines()]
    eq(len(spans), len(SAMPLES), "one span for each sample")
    wrong = [(n, s.get("model"), s.get("log_type"), s.get("status_code")) for n, (s, (model, kind, status)) in
             enumerate(zip(spans, SAMPLES)) if (model or s.get("model"), kind or s.get("log_type"), status) !=
             (s.get("model"), s.get("log_type"), s.get("status_code"))]
    eq(wrong, [], "model, log_type and status of each")
    eq([s.get("status") for s in spans], ["success"] * 8 + ["error"] * 2 + ["success"] * 4 + ["error"] * 2 + ["success"] * 18,
       "what failed, and only that, is an error")
    table = out[next((i for i, ln in enumerate(out) if ln.startswith("TIME (UTC)")), 0) + 1:]
    eq([ln.split()[-1] for ln in table[:len(SAMPLES)]], [s["id"].replace("-", "")[:16] for s in spans],
       "the table shows these spans in the samples' order")
    ok(all("pretend" in json.dumps([s.get("output"), s.get("tool_calls")]).lower() for s in spans[:8]),
       "every answer to a chat says that it is pretend")
    ok(len({s.get("customer_identifier") for s in spans} - {None}) >= 4 and
       len({s.get("thread_identifier") for s in spans} - {None}) >= 3, "customers and threads vary")
    shutil.rmtree(data)


def serves_on():
    """Without --once it serves until Ctrl-C, then takes its temporary directory away."""
    tmp = tempfile.mkdtemp(prefix="spangate-test-")
    d = Demo("--listen=127.0.0.1:0", env={"TMPDIR": tmp})
    port, provider = port_of(d, "gateway"), port_of(d, "provider")
    ok(d.line("until Ctrl-C") is not None, "it goes on after the table", d.out)
    text = "\n".join(ln for ln in d.out if ln)
    ok(all(s in text for s in ("curl -N http://127.0.0.1:%d/v1/chat/completions" % port, "spans list --data-dir " + tmp,
                               "http://127.0.0.1:%d/metrics" % port)), "it says what to try next", text)
    with Raw(port) as c:
        r = c.post("/v1/chat/completions", {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]})
        eq((r.status, r.get("x-pretend"), r.get("server"), r.json.get("model")),
           (200, "yes", "spangate-pretend", "pretend-gpt-4o-mini"), "any model is answered, and headers and model say pretend")
        ok("pretend answer" in r.json["choices"][0]["message"]["content"], "so does the text", r.body)
    with Raw(port) as c:
        c.send(c.request_bytes("POST", CHAT, [], json.dumps(chat_body(True)).encode()))
        r = c.head()
        c.body(r, until=lambda r: b"data:" in r.body)
    with Raw(port) as c:
        eq(c.get("/v1/models").status, 200, "a client that left in the middle of a stream hurts nobody")
    ok(len(os.listdir(tmp)) == 1, "the data is in a directory of its own", os.listdir(tmp))
    d.proc.send_signal(signal.SIGINT)
    code, _ = d.end(20)
    eq((code, d.err), (0, b""), "Ctrl-C: exit 0")
    ok(closed(port) and closed(provider), "nothing listens any more")
    eq(os.listdir(tmp), [], "and nothing is left on the disk")
    os.rmdir(tmp)


def early_end():
    """Ctrl-C among the samples ends it too."""
    tmp = tempfile.mkdtemp(prefix="spangate-test-")
    d = Demo("--listen", "127.0.0.1:0", env={"TMPDIR": tmp})
    d.line(r"^ *1/")
    d.proc.send_signal(signal.SIGINT)
    code, out = d.end(20)
    eq((code, any("try next" in ln for ln in out)), (1, False), "Ctrl-C among the samples: exit 1, no table")
    eq(os.listdir(tmp), [], "nothing is left on the disk")
    os.rmdir(tmp)


def refusals():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        code, out = (d := Demo("--once", "--listen", "127.0.0.1:%d" % s.getsockname()[1])).end()
        ok(code == 1 and b"Address already in use" in d.err and b"--listen" in d.err, "a port that is taken: --listen is named",
           code, d.err)
    for args in (["-c", "x.yaml"], ["--upstream", "https://api.openai.com/v1"]):
        code, out = (d := Demo(*args)).end()
        ok(code == 2 and out == [] and b"neither -c nor --upstream" in d.err, "%s is refused" % args[0], code, d.err)


main(once, serves_on, early_end, refusals)
