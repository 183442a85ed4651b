# SPDX-License-Identifier: Apache-2.0
"""What every black-box test needs: TAP, the gateway as a child, a raw HTTP client that shows the
bytes, and readers of spans and metrics.  Nothing here sleeps where an event can be awaited; spans
come asynchronously, so spans() asks again until the expected number is there or time is up."""
import collections
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from fake_provider import Provider, make_certs, words  # noqa: E402,F401

SPANGATE = os.environ.get("SPANGATE", "spangate")
try:
    with open(SPANGATE, "rb") as _f:
        SANITIZED = re.search(b"__(asan|tsan)_init", _f.read()) is not None
except OSError:
    SANITIZED = False
SLOW = float(os.environ.get("TEST_SLOW", "3" if SANITIZED else "1"))    # factor for what is slow: machines, sanitizers


# TAP -----------------------------------------------------------------------------
class Tap:
    def __init__(self):
        self.n = self.failed = 0
        self.lock = threading.Lock()

    def ok(self, good, what, *diag):
        with self.lock:
            self.n += 1
            self.failed += not good
            print("%sok %d - %s" % ("" if good else "not ", self.n, what.replace("#", "")))
            if not good:
                for d in diag:
                    for ln in str(d)[:3000].splitlines():
                        print("# " + ln)
            sys.stdout.flush()
        return bool(good)

    def eq(self, got, want, what):
        return self.ok(got == want, what, "got      %r" % (got,), "expected %r" % (want,))

    def near(self, got, want, tolerance, what):
        good = isinstance(got, (int, float)) and abs(got - want) <= tolerance
        return self.ok(good, what, "got %r, expected %r +- %r" % (got, want, tolerance))

    def skip(self, what, why):
        self.n += 1
        print("ok %d - %s # SKIP %s" % (self.n, what, why), flush=True)

    def note(self, *text):
        for ln in " ".join(map(str, text)).splitlines():
            print("# " + ln, flush=True)

    def done(self):
        print("1..%d" % self.n, flush=True)
        sys.stdout.flush()
        os._exit(1 if self.failed else 0)


tap = Tap()
ok, eq, near, skip, note = tap.ok, tap.eq, tap.near, tap.skip, tap.note


def skip_all(why):
    print("1..0 # SKIP " + why, flush=True)
    os._exit(0)


def main(*tests):
    """Runs each function; one that raises is one failed point. Cleans up and ends the process."""
    only = sys.argv[1:]
    try:
        for t in tests:
            if only and t.__name__ not in only:
                continue
            try:
                t()
            except Exception:
                ok(False, "%s ran to its end" % t.__name__, traceback.format_exc())
                for g in Gateway.live[-1:]:
                    note("the gateway's last lines:")
                    note("\n".join(g.lines[-8:]))
    finally:
        for g in list(Gateway.live):
            g.destroy()
    tap.done()


# the gateway ---------------------------------------------------------------------
def yaml(value, indent=0):
    """YAML of plain dicts, lists and scalars: block style for what is nested, JSON for scalars."""
    pad = "  " * indent
    if isinstance(value, dict):
        out = ""
        for k, v in value.items():
            if isinstance(v, dict) and v:
                out += "%s%s:\n%s" % (pad, k, yaml(v, indent + 1))
            elif isinstance(v, list) and v and isinstance(v[0], dict):
                out += "%s%s:\n" % (pad, k)
                for item in v:
                    out += "%s  - {%s}\n" % (pad, ", ".join("%s: %s" % (a, scalar(b)) for a, b in item.items()))
            elif isinstance(v, list):
                out += "%s%s: %s\n" % (pad, k, scalar(v))
            else:
                out += "%s%s: %s\n" % (pad, k, scalar(v))
        return out
    return scalar(value)


def scalar(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, (int, float)):
        return str(v)
    if isinstance(v, dict):
        return "{}" if not v else "{%s}" % ", ".join("%s: %s" % (a, scalar(b)) for a, b in v.items())
    if isinstance(v, list):
        return "[%s]" % ", ".join(map(scalar, v))
    if re.fullmatch(r"[A-Za-z0-9_./-]+", v) and not re.fullmatch(r"[0-9.]+|true|false|null|yes|no|on|off", v):
        return v
    return json.dumps(v)


class Gateway:
    """A spangate of our own. config: settings laid over the test's defaults (None takes one out).
    provider: a Provider, which becomes the default one named `fake`."""
    live = []

    def __init__(self, provider=None, config=None, provider_config=None, start=True, args=(), env=None,
                 data_dir=None, preexec=None, wrap=()):
        self.root = tempfile.mkdtemp(prefix="spangate-test-")
        self.data = data_dir or os.path.join(self.root, "data")
        self.conf = os.path.join(self.root, "spangate.yaml")
        self.args, self.env, self.preexec, self.wrap = list(args), dict(os.environ, **(env or {})), preexec, list(wrap)
        # pretend models have a price, so that spans do not warn of none
        self.config = {"listen": "127.0.0.1:0", "threads": 2, "data_dir": self.data,
                       "prices": os.path.join(os.path.dirname(os.path.abspath(__file__)), "prices.json")}
        if provider is not None:
            self.config["providers"] = {"fake": dict(
                {"api": "openai", "base_url": provider.url + "/v1", "usage": "ask"}, **(provider_config or {}))}
        for k, v in (config or {}).items():
            self.config[k] = v
            if v is None:
                del self.config[k]
        self.proc, self.lines, self.ready, self.port = None, [], threading.Condition(), None
        self.ports = []
        Gateway.live.append(self)
        self.write_config()
        if start:
            self.start()

    def write_config(self, text=None):
        with open(self.conf, "w") as f:
            f.write(text if text is not None else yaml(self.config))

    def start(self, wait=True):
        self.port, self.ports, first = None, [], len(self.lines)
        self.proc = subprocess.Popen(self.wrap + [SPANGATE, "serve", "-c", self.conf] + self.args, env=self.env,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                     preexec_fn=self.child, cwd=self.root)
        self.reader = threading.Thread(target=self.read_log, args=(self.proc.stderr,), daemon=True)
        self.reader.start()
        if not wait:
            return
        with self.ready:
            self.ready.wait_for(lambda: self.port is not None or self.proc.poll() is not None or not self.reader.is_alive(),
                                20 * SLOW)
        if self.port is None:
            raise RuntimeError("the gateway did not start: " + " | ".join(self.lines[first:][-5:]))

    def child(self):
        """In the child: ends when the test ends, however that comes."""
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
        if self.preexec:
            self.preexec()

    def read_log(self, pipe):
        for raw in pipe:
            ln = raw.decode("utf-8", "replace").rstrip("\n")
            with self.ready:
                self.lines.append(ln)
                m = re.search(r"listening on (?:https?://)?(\[[^\]]*\]|[^\s:]+):(\d+)\b", ln)
                if m:
                    self.ports.append((m.group(1).strip("[]"), int(m.group(2))))
                elif "listening on unix:" in ln:
                    self.ports.append(("", -1))
                if len(self.ports) >= self.listeners():
                    self.port = self.port or next((n for _, n in self.ports if n > 0), -1)
                self.ready.notify_all()
        with self.ready:
            self.ready.notify_all()

    def listeners(self):
        listen = self.config.get("listen", "")
        return len(listen) if isinstance(listen, list) else 1

    def wait_log(self, pattern, timeout=10, start=0):
        """Waits for a log line; returns it or None."""
        rx = re.compile(pattern)
        find = lambda: next((ln for ln in self.lines[start:] if rx.search(ln)), None)
        with self.ready:
            self.ready.wait_for(lambda: find() is not None or not self.reader.is_alive(), timeout * SLOW)
            return find()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    @property
    def pid(self):
        return self.proc.pid

    def signal(self, number):
        self.proc.send_signal(number)

    def wait(self, timeout=30):
        """Waits for the end; returns the exit code, None if it did not come."""
        try:
            code = self.proc.wait(timeout * SLOW)
        except subprocess.TimeoutExpired:
            return None
        self.reader.join(5)
        return code

    def stop(self, timeout=30):
        if self.proc is None or self.proc.poll() is not None:
            return self.proc and self.proc.returncode
        self.signal(signal.SIGTERM)
        code = self.wait(timeout)
        if code is None:
            self.proc.kill()
            self.proc.wait()
        return code

    def kill9(self):
        self.proc.kill()
        self.proc.wait()
        self.reader.join(5)

    def destroy(self):
        if self in Gateway.live:
            Gateway.live.remove(self)
        if self.proc is not None:
            self.stop(10)
            bad = [ln for ln in self.lines if "Sanitizer" in ln or "runtime error" in ln or "Assertion" in ln]
            if bad:
                ok(False, "no sanitizer report and no assertion", "\n".join(self.lines[-60:]))
        if not os.environ.get("TEST_KEEP"):
            shutil.rmtree(self.root, ignore_errors=True)
        else:
            note("kept " + self.root)

    # reading what it wrote
    def run(self, *argv, input=None, timeout=60):
        """A subcommand with this gateway's configuration: (code, stdout, stderr)."""
        p = subprocess.run([SPANGATE] + list(argv) + ["-c", self.conf], env=self.env, input=input,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout * SLOW, cwd=self.root)
        return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")

    def export(self):
        code, out, err = self.run("spans", "export", "--format", "jsonl")
        if code != 0:
            raise RuntimeError("spans export: exit %d: %s" % (code, err[:300]))
        return [json.loads(ln) for ln in out.split("\n") if ln.strip()]     # U+2028 is no line end

    def spans(self, count, timeout=10):
        """All spans, oldest first, as soon as there are at least so many (or time is up)."""
        end, got, pause, why = time.monotonic() + timeout * SLOW, [], 0.02, None
        while True:
            try:
                got, why = self.export(), None
            except RuntimeError as e:
                why = e
            if len(got) >= count or time.monotonic() > end:
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 0.3)
        if why:
            note(why)
        got.sort(key=lambda s: (s.get("start_time") or "", s.get("id") or ""))
        return got

    def span(self, response=None, timeout=10, count=1):
        """The span of a Response (by x-spangate-span-id), else the only one. {} if it does not come."""
        if response is None:
            got = self.spans(count, timeout)
            return got[-1] if len(got) >= count else {}
        want = response.get("x-spangate-span-id")
        end, pause, why = time.monotonic() + timeout * SLOW, 0.02, ""
        while want:
            try:
                for s in self.export():
                    if s.get("id") == want:
                        return s
            except RuntimeError as e:
                why = e
            if time.monotonic() > end:
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 0.3)
        note("no span for id %r" % want, why)
        return {}

    def get(self, path, headers=None):
        with Raw(self.port) as c:
            return c.get(path, headers)

    def metrics(self):
        """{'name{labels}': value} and the text."""
        r = self.get("/metrics")
        out = {}
        for ln in r.body.decode().splitlines():
            if ln and not ln.startswith("#"):
                k, _, v = ln.rpartition(" ")
                out[k] = float(v)
        return Metrics(out), r.body.decode()

    def rss(self):
        """Anonymous resident memory in bytes."""
        with open("/proc/%d/status" % self.pid) as f:
            for ln in f:
                if ln.startswith("RssAnon:"):
                    return int(ln.split()[1]) * 1024

    def data_files(self):
        for d, _, names in os.walk(self.data):
            for n in names:
                yield os.path.join(d, n)

    def inject(self, **members):
        """Adds settings to the running configuration's file."""
        self.config.update(members)
        self.write_config()


class Metrics(dict):
    def sum(self, name, **labels):
        """Sum over all series of that name whose labels match."""
        total = 0.0
        for k, v in self.items():
            m = re.fullmatch(r"([a-zA-Z_:0-9]+)(?:\{(.*)\})?", k)
            if not m or m.group(1) != name:
                continue
            have = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m.group(2) or ""))
            if all(have.get(a) == str(b) for a, b in labels.items()):
                total += v
        return total


# clients -------------------------------------------------------------------------
class Response:
    """One answer as it came: status, reason, headers in order, body, and how it ended:
    'length', 'chunked', 'close', 'none', or 'cut' (the connection ended too early)."""

    def __init__(self):
        self.version = self.status = self.reason = None
        self.headers, self.body, self.end, self.raw_head = [], b"", None, b""
        self.interim, self.chunks, self.times, self.reset = [], [], [], False
        self.trailers = []

    def get(self, name, default=None):
        got = self.all(name)
        return got[0] if got else default

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """The OpenAI-shaped error object, {} if the body holds none."""
        try:
            e = json.loads(self.body).get("error")
        except (ValueError, AttributeError):
            return {}
        return e if isinstance(e, dict) else {}

    def events(self):
        return sse(self.body)


def sse(body):
    """The data of each event, parsed; text where it is no JSON."""
    out = []
    for block in re.split(rb"\r?\n\r?\n", body):
        data = b"\n".join(ln[5:].lstrip(b" ") for ln in re.split(rb"\r?\n", block) if ln.startswith(b"data:"))
        if data:
            try:
                out.append(json.loads(data))
            except ValueError:
                out.append(data.decode())
    return out


class Raw:
    """A client on a bare socket."""

    def __init__(self, port, host="127.0.0.1", timeout=20, unix=None, rcvbuf=None):
        if unix:
            self.sock = socket.socket(socket.AF_UNIX)
        else:
            self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            if rcvbuf:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout * SLOW)
        self.sock.connect(unix or (host, port))
        if not unix:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = "localhost" if unix else "%s:%d" % ("[%s]" % host if ":" in host else host, port)
        self.buf = b""

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.close()

    def close(self):
        self.sock.close()

    def abort(self):
        """Closes by RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def more(self):
        data = self.sock.recv(262144)
        self.buf += data
        return bool(data)

    def head(self):
        """Reads a head: Response without body. None: the connection ended before one."""
        r = Response()
        while True:
            while b"\r\n\r\n" not in self.buf:
                try:
                    if not self.more():
                        return None
                except ConnectionError:
                    return None
            r.raw_head, self.buf = self.buf.split(b"\r\n\r\n", 1)
            lines = r.raw_head.decode("latin-1").split("\r\n")
            r.version, status, r.reason = (lines[0].split(" ", 2) + [""])[:3]
            r.status = int(status)
            r.headers = [(k, v.strip()) for k, _, v in (ln.partition(":") for ln in lines[1:])]
            if r.status >= 200 or r.status == 101:
                return r
            r.interim.append(r.status)

    def body(self, r, method="GET", until=None):
        """Reads the body into r by its framing. until(r): stop early when true."""
        r.body = bytearray()
        try:
            self._body(r, method, until)
        except (ConnectionError, BrokenPipeError):
            r.end, r.reset = "cut", True
        except socket.timeout:
            r.end = "timeout"
        r.body = bytes(r.body)
        return r

    def _take(self, r, n, until):
        while n > 0:
            if not self.buf and not self.more():
                r.end = "cut"
                return False
            piece, self.buf = self.buf[:n], self.buf[n:]
            n -= len(piece)
            r.body += piece
            r.times.append((time.monotonic(), len(r.body)))
            if until and until(r):
                return False
        return True

    def _line(self, r):
        while b"\r\n" not in self.buf:
            if not self.more():
                r.end = "cut"
                return None
        ln, self.buf = self.buf.split(b"\r\n", 1)
        return ln

    def _body(self, r, method, until):
        if method == "HEAD" or r.status in (204, 304) or r.status < 200:
            r.end = "none"
        elif "chunked" in (r.get("transfer-encoding") or "").lower():
            while True:
                ln = self._line(r)
                if ln is None:
                    return
                size = int(ln.split(b";")[0], 16)
                if size == 0:
                    while True:
                        ln = self._line(r)
                        if ln is None:
                            return
                        if not ln:
                            break
                        r.trailers.append(ln)
                    r.end = "chunked"
                    return
                r.chunks.append(size)
                if not self._take(r, size, until) or self._line(r) is None:
                    return
        elif r.get("content-length") is not None:
            if self._take(r, int(r.get("content-length")), until):
                r.end = "length"
        else:
            parts = [self.buf]
            self.buf = b""
            while True:
                data = self.sock.recv(262144)
                if not data:
                    break
                parts.append(data)
                r.times.append((time.monotonic(), 0))
                if until:
                    r.body = b"".join(parts)
                    if until(r):
                        return
            r.body = b"".join(parts)
            r.end = "close"

    def answer(self, method="GET", until=None):
        r = self.head()
        return r and self.body(r, method, until)

    def request_bytes(self, method, path, headers=None, body=None, version="HTTP/1.1"):
        have = {k.lower() for k, _ in (headers or [])}
        lines = ["%s %s %s" % (method, path, version)]
        if "host" not in have and version != "HTTP/1.0":
            lines.append("Host: " + self.host)
        lines += ["%s: %s" % h for h in (headers or [])]
        if body is not None and not have & {"content-length", "transfer-encoding"}:
            lines.append("Content-Length: %d" % len(body))
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")

    def ask(self, method, path, headers=None, body=None, version="HTTP/1.1", until=None):
        """One request and its answer. headers: dict or list of pairs; body: bytes, str or an object for JSON."""
        headers = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
        if body is not None and not isinstance(body, bytes):
            if not isinstance(body, str):
                body = json.dumps(body)
                if not any(k.lower() == "content-type" for k, _ in headers):
                    headers.append(("Content-Type", "application/json"))
            body = body.encode()
        self.send(self.request_bytes(method, path, headers, body, version))
        return self.answer(method, until)

    def get(self, path, headers=None):
        return self.ask("GET", path, headers)

    def post(self, path, body, headers=None, **kw):
        return self.ask("POST", path, headers, body, **kw)

    def closed(self, timeout=5):
        """True if the peer closes (or resets) within the time; what comes before is dropped."""
        self.sock.settimeout(timeout * SLOW)
        try:
            while self.sock.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except socket.timeout:
            return False


CHAT = "/v1/chat/completions"
MESSAGES = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "Say something about Zürich \U0001f3d4."}]


def chat_body(stream=False, **more):
    body = {"model": "gpt-test", "messages": MESSAGES}
    if stream:
        body["stream"] = True
    body.update(more)
    return body


def chat(gateway, fake="", stream=False, headers=None, port=None, until=None, **more):
    """One chat request on a connection of its own."""
    heads = [("Authorization", "Bearer sk-client-1")] + list((headers or {}).items())
    if fake:
        heads.append(("x-fake", fake))
    with Raw(port or gateway.port) as c:
        return c.post(CHAT, chat_body(stream, **more), heads, until=until)


def text_of(events):
    return "".join(e["choices"][0]["delta"].get("content") or "" for e in events
                   if isinstance(e, dict) and e.get("choices") and e["choices"][0].get("delta"))


def parallel(count, function):
    """Runs function(i) in so many threads; returns the results in order (an exception is a result)."""
    out = [None] * count

    def one(i):
        try:
            out[i] = function(i)
        except Exception as e:
            out[i] = e
    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


def wait_until(condition, timeout=10, step=0.02):
    """For what can only be asked: True as soon as condition() is true."""
    end = time.monotonic() + timeout * SLOW
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


def raise_nofile():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
