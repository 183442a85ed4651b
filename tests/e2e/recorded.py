# SPDX-License-Identifier: Apache-2.0
"""Run by recorded_test.sh: recorded.py TOOLS CASES. TOOLS holds drive.py and replay_upstream.py."""
from harness import *

TOOLS, CASES = sys.argv[1:3]
del sys.argv[1:]


class Replay:
    """The recorded provider, as a child."""

    def __init__(self, folder):
        self.log = os.path.join(folder, "received.jsonl")
        self.proc = subprocess.Popen([sys.executable, "-B", os.path.join(TOOLS, "replay_upstream.py"), "--cases", CASES, "--port", "0", "--log", self.log],
                                     stdout=subprocess.PIPE)
        self.url = self.proc.stdout.readline().decode().split()[-1]

    def close(self):
        self.proc.terminate()
        self.proc.wait()


def drive(g, replay, *argv, timeout=120):
    r = subprocess.run([sys.executable, "-B", os.path.join(TOOLS, "drive.py"), "--gateway", g.url, "--cases", CASES, "-j", "8", "--upstream-log", replay.log] + list(argv),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout * SLOW)
    return r.returncode, r.stdout.decode("utf-8", "replace")


def summary(out):
    return "\n".join(ln for ln in out.splitlines() if re.match(r"all |FAIL|note:|SPAN|Spans:|\s+\d+  |  \S+ +wrong|\d+ requests", ln))[:6000]


def config(replay, usage):
    return {"providers": {"rec": {"api": "openai", "base_url": replay.url + "/v1", "usage": usage, "default": True},
                          "ant": {"api": "anthropic", "base_url": replay.url}}}


def export(g):
    return "%s spans export --format jsonl -c %s" % (SPANGATE, g.conf)


def all_cases():
    g = Gateway(None, config(replay, "leave"))
    code, out = drive(g, replay, "--api", ".")
    ok(code == 0, "all recordings: no difference to the client or to the provider", summary(out))
    ok(g.run("verify")[0] == 0, "verify")
    g.destroy()


def chat_spans():
    g = Gateway(None, config(replay, "leave"))
    code, out = drive(g, replay, "--api", r"^openai\.chat", "--spans", export(g))
    ok(code == 0, "the chat ones: usage, text, tool calls, reasoning, finish reason", summary(out))
    g.destroy()


def usage_asked():
    g = Gateway(None, config(replay, "ask"))
    code, out = drive(g, replay, "--api", r"^openai\.chat", "--usage-hidden", "--spans", export(g))
    bad = [ln for ln in out.splitlines() if ln.startswith(("FAIL", "SPAN"))]
    changed = [ln for ln in out.splitlines() if "body CHANGED" in ln]
    ok(not bad, "with usage asked and hidden", summary(out))
    note(*changed[:2])
    g.destroy()


def variants():
    for how in (["x-replay: split=byte"], ["x-replay: split=rand"], ["x-replay: split=whole"], ["x-replay: crlf=1"],
                ["x-replay: encoding=gzip", "--accept-encoding", "gzip"], ["x-replay: close=1"]):
        g = Gateway(None, config(replay, "leave"))
        code, out = drive(g, replay, "--api", r"^openai\.chat", "--header", *how, "--spans", export(g))
        ok(code == 0, "the chat ones, " + how[0], summary(out))
        g.destroy()


folder = tempfile.mkdtemp(prefix="spangate-recorded-")
replay = Replay(folder)


def clean_up():
    replay.close()
    shutil.rmtree(folder, ignore_errors=True)


main(all_cases, chat_spans, usage_asked, variants, clean_up)
