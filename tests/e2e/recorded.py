# SPDX-License-Identifier: Apache-2.0
"""Run by recorded_test.sh: recorded.py TOOLS CASES. TOOLS holds drive.py and replay_upstream.py."""
import base64

from harness import *

TOOLS, CASES = sys.argv[1:3]
del sys.argv[1:]


class Replay:
    """The recorded provider, as a child."""

    def __init__(self, folder):
        self.log = os.path.join(folder, "received.jsonl")
        self.proc = subprocess.Popen([sys.executable, "-B", os.path.join(TOOLS, "replay_upstream.py"), "--cases", CASES,
                                      "--port", "0", "--log", self.log], stdout=subprocess.PIPE)
        self.url = self.proc.stdout.readline().decode().split()[-1]

    def close(self):
        self.proc.terminate()
        self.proc.wait()


def drive(g, replay, *argv, timeout=120):
    r = subprocess.run([sys.executable, "-B", os.path.join(TOOLS, "drive.py"), "--gateway", g.url, "--cases", CASES,
                        "-j", "8", "--upstream-log", replay.log] + list(argv),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout * SLOW)
    return r.returncode, r.stdout.decode("utf-8", "replace")


def summary(out):
    told = r"all |FAIL|note:|SPAN|Spans:|\s+\d+  |  \S+ +wrong|\d+ requests"
    return "\n".join(ln for ln in out.splitlines() if re.match(told, ln))[:6000]


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


def tagged():
    """{id: group} of the cases whose span can be found, as an id can be put into their body."""
    out = {}
    with open(CASES) as f:
        for case in map(json.loads, f):
            request = case["request"]
            body = (base64.b64decode(request.get("body_b64", "")) or request.get("body", "").encode()).lstrip()
            api = case["api"].split(".")[1]
            if body.startswith((b"{", b"--")):
                out[case["id"]] = api if api in GROUPS else "multipart" if body.startswith(b"--") else "other"
    return out


def spans(what, *argv, usage="leave", groups=None):
    """All cases in one way of sending: nothing changes on the way, and each group's spans say what they must."""
    groups = groups or GROUPS + ("multipart", "other")
    ids = [re.escape(i) for i, group in cases.items() if group in groups]
    g = Gateway(None, config(replay, usage))
    _, out = drive(g, replay, "--api", ".", "--case", "^(%s)$" % "|".join(ids), "--show", "1000", "--spans-wait", "0.3",
                   "--spans", export(g), *argv)
    g.destroy()
    bad = {group: [] for group in groups}
    for ln in out.splitlines():
        m = re.match(r"(?:FAIL|SPAN) ([^\s:]+)", ln)
        if m:
            bad[cases[m.group(1)]].append(ln[:700])
    for group in groups:
        ok(not bad[group], "%s: %s" % (what, group), *bad[group])
    ok(usage == "ask" or not re.search(LOST, out), what + ": the provider gets what was sent", summary(out))
    ok(" requests in " in out and "Spans: " in out, what + ": ran", out[-2000:])


def as_sent():
    spans("one write an event")


def usage_asked():
    spans("usage asked and hidden", "--usage-hidden", usage="ask", groups=("chat", "completions"))


def variants():
    """However an answer is sent, its span is the same."""
    for how in (["x-replay: split=byte"], ["x-replay: split=rand"], ["x-replay: split=whole"], ["x-replay: crlf=1"],
                ["x-replay: encoding=gzip", "--accept-encoding", "gzip"], ["x-replay: close=1"]):
        spans(how[0][10:], "--header", *how)


GROUPS = ("chat", "completions", "responses", "messages", "embeddings", "speech", "transcriptions", "translations")
LOST = r"body CHANGED|never reached|method changed|hop-by-hop|reached the upstream \d|request header lost"
cases = tagged()
folder = tempfile.mkdtemp(prefix="spangate-recorded-")
replay = Replay(folder)


def clean_up():
    replay.close()
    shutil.rmtree(folder, ignore_errors=True)


main(all_cases, as_sent, usage_asked, variants, clean_up)
