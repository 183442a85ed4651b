# SPDX-License-Identifier: Apache-2.0
"""A server that takes POSTs and keeps them as they came: what sinks other than Respan's are tested with."""
import gzip
import http.server
import threading

from harness import SLOW


class Post:
    def __init__(self, path, headers, raw):
        self.path, self.headers, self.raw = path, headers, raw
        self.body = gzip.decompress(raw) if headers.get("content-encoding") == "gzip" else raw


class Taker:
    """answer(n, post): (status, headers, body bytes), or None for an empty 200. `good` has the posts answered 2xx."""

    def __init__(self, answer=None):
        self.posts, self.good, self.answer, self.cond = [], [], answer, threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1       # an answer is one packet: else Nagle waits for the client's ACK

            def do_POST(self):
                outer.take(self)

            def log_message(self, *a):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *a: None     # a client that is killed
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, h):
        post = Post(h.path, {k.lower(): v for k, v in h.headers.items()}, h.rfile.read(int(h.headers["content-length"])))
        with self.cond:
            n = len(self.posts)
            self.posts.append(post)
        status, headers, body = (self.answer and self.answer(n, post)) or (200, {}, b"")
        with self.cond:
            if 200 <= status < 300:
                self.good.append(post)
            self.cond.notify_all()
        h.send_response(status)
        for k, v in dict(headers, **{"content-length": str(len(body))}).items():
            h.send_header(k, v)
        try:
            h.end_headers()
            h.wfile.write(body)
        except OSError:
            pass    # it has gone

    def wait(self, enough, timeout=10):
        """Until enough(the good posts) is true; what it then is."""
        with self.cond:
            self.cond.wait_for(lambda: enough(self.good), timeout * SLOW)
            return enough(self.good)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
