#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Does a span hold everything that was said? tests/data/members/FAMILY.list names the members of each
# API's requests and answers and its events: each must occur in a golden exchange of its family. And
# of every golden exchange called everything*: each value of its request and of its answer or events
# must stand in its span. At the end spans are damaged, to see that this would be noticed.
import base64
import copy
import fnmatch
import json
import os
import sys

TOP = os.environ.get("TOP_SRCDIR", ".")
DATA = os.path.join(TOP, "tests", "data")

# What need not be in a span: family, event's type, path (each a pattern), and why.
EXEMPT = [
    ("*", "*", "obfuscation", "random characters that hide an event's size"),
    ("chat", "*", "p", "random characters that hide an event's size"),
    ("*", "*", "sequence_number", "the place of an event in its stream"),
    ("*", "*", "*_index", "says where in the answer its event belongs"),
    ("*", "*.partial_image", "*", "pictures on the way to the whole one are counted"),
    ("chat", "*", "choices.delta.tool_calls.index", "says which call a piece belongs to"),
    ("chat", "*", "choices.delta.content*.type", "thinking and text have members of their own"),
    ("chat", "*", "created", "0 where there are no choices yet"),
    ("messages", "*", "index", "says which block an event belongs to"),
    ("messages", "*", "delta.type", "says what a piece is of"),
    ("messages", "message_start", "message.usage.output_tokens", "so far: a later event says more"),
    ("messages", "message_start", "message.usage.server_tool_use.*", "so"),
    ("messages", "*", "delta.sparkle", "made up: a piece of no known kind"),
    ("messages", "message_glow", "*", "made up: an event of no known kind"),
    ("response", "response.created", "response.*", "so far: the last event repeats it all"),
    ("response", "response.queued", "response.*", "so"),
    ("response", "response.in_progress", "response.*", "so"),
    ("response", "response.output_item.added", "item.status", "so far: it is done later"),
    ("speech", "*", "audio", "the sound is told by its length and type"),
]
# Names of the events themselves; their documents have other ones.
EVENT_NAMES = ("type", "object")

# Fields that are of the other side: what they hold does not count.
OTHER_SIDE = {
    "request": ("output", "completion_message", "completion_messages", "full_response", "usage"),
    "answer": ("input", "prompt_messages", "tools", "tool_choice", "metadata", "full_request"),
}

# Under which other names of the span a value of that name may stand, besides its own.
RENAMED = {
    "reasoning": {"reasoning_content"}, "reasoning_text": {"reasoning_content"},
    "text": {"content", "reasoning_content", "thinking", "output"},
    "delta": {"text", "refusal", "arguments", "input", "code", "data", "transcript"},
    "created_at": {"created"}, "item_id": {"id"}, "max_completion_tokens": {"max_tokens"},
    "thinking": {"reasoning_content"}, "partial_json": {"input", "arguments"}, "segment_id": {"id"},
}

count = 0


def ok(good, name):
    global count
    count += 1
    print(f"{'' if good else 'not '}ok {count} - {name}", flush=True)
    return good


class Number(str):
    """A number as it stands."""


def load(text):
    return json.loads(text, parse_float=Number, parse_int=Number)


def unescape(value):
    """The bytes of a value of an exchange's description (tests/unit/exchange.h)."""
    raw, out, i = value.encode(), bytearray(), 0
    plain = {ord("n"): b"\n", ord("r"): b"\r", ord("t"): b"\t", ord("\\"): b"\\"}
    while i < len(raw):
        if raw[i] != 0x5C or i + 1 == len(raw):
            out.append(raw[i])
            i += 1
        elif raw[i + 1] == ord("x"):
            out.append(int(raw[i + 2:i + 4], 16))
            i += 4
        else:
            out += plain.get(raw[i + 1], raw[i:i + 2])
            i += 2
    return bytes(out)


class Golden:
    """One golden exchange: request and answers as JSON where they are, event types, its span."""

    def __init__(self, family, path):
        self.family, self.name = family, os.path.basename(path)[:-4]
        bodies, types, record = {}, {}, None
        with open(path, encoding="utf-8") as f:
            for line in f.read().split("\n"):
                if not line.startswith("\t"):
                    if line and not line.startswith("#"):
                        record = line
                    if record == "head":
                        bodies["part"] = b""      # of several attempts the last one
                    continue
                name, _, value = line[1:].partition(" ")
                if name == "BYTES":
                    bodies[record] = bodies.get(record, b"") + unescape(value)
                if name == "HEADERS" and value.lower().startswith("content-type:"):
                    types[record] = value.split(":", 1)[1].strip()
        self.event_types = set()
        self.request = self.body(bodies.get("begin", b""), types.get("begin", ""))
        self.answers = self.documents(bodies.get("part", b""))
        with open(path[:-4] + ".json", encoding="utf-8") as f:
            self.span = load(f.read())

    def body(self, raw, content_type):
        if content_type.startswith("multipart/"):
            return form(raw, content_type.split("boundary=")[1].strip('"').encode())
        return one(raw)

    def documents(self, raw):
        text = raw.decode("utf-8", "replace").replace("\r\n", "\n")
        self.stream = text.lstrip().startswith(("data:", "event:", ":"))
        if not self.stream:
            return [v for v in [one(raw)] if v is not None]
        found = []
        for block in text.split("\n\n"):
            lines = [part.partition(":") for part in block.split("\n")]
            self.event_types |= {v.strip() for k, _, v in lines if k == "event"}
            value = one("\n".join(v.strip() for k, _, v in lines if k == "data").encode())
            if isinstance(value, dict):
                found.append(value)
                if isinstance(value.get("type"), str):
                    self.event_types.add(value["type"])
        return found


def one(raw):
    try:
        return load(raw.decode("utf-8"))
    except ValueError:
        return None


def form(raw, boundary):
    """The fields of a form; name[] is a list. Of a file its name."""
    fields = {}
    for part in raw.split(b"--" + boundary)[1:-1]:
        head, _, value = part.decode().strip("\r\n").partition("\r\n\r\n")
        name = head.split('name="')[1].split('"')[0]
        if 'filename="' in head:
            value = {"filename": head.split('filename="')[1].split('"')[0]}
        elif isinstance(one(value.encode()), (Number, bool)):
            value = one(value.encode())
        if name.endswith("[]"):
            fields.setdefault(name[:-2], []).append(value)
        else:
            fields[name] = value
    return fields


def walk(value, path=""):
    """Each value with its path; the elements of a list have the list's path."""
    if isinstance(value, dict):
        for key, v in value.items():
            yield from walk(v, f"{path}.{key}" if path else key)
        yield path, value
    elif isinstance(value, list):
        for v in value:
            yield from walk(v, path)
        yield path, value
    else:
        yield path, value


def leaves(value):
    return [(p, v) for p, v in walk(value) if not isinstance(v, (dict, list)) and v is not None]


def exempt(golden, event, path, value):
    """event: its type, None in a request or a whole answer."""
    if event is not None and path in EVENT_NAMES:
        return True
    if path == "created" and value != "0":
        return False
    return any(fnmatch.fnmatch(golden.family, f) and fnmatch.fnmatch(event or "", t) and fnmatch.fnmatch(path, p)
        for f, t, p, _ in EXEMPT)


def by_name(span):
    """The span's values by the last name of their path."""
    names = {}
    for path, v in leaves(span):
        names.setdefault(path.rsplit(".", 1)[-1], []).append(v)
    return names


def stands(names, path, value):
    """Is the value in the span, under its name or one it may have there? A text may be a piece of one."""
    name = path.rsplit(".", 1)[-1]
    for v in (v for n in {name} | RENAMED.get(name, set()) for v in names.get(n, ())):
        if isinstance(value, Number):
            same = isinstance(v, Number) and float(v) == float(value)
        elif isinstance(value, str):
            same = isinstance(v, str) and not isinstance(v, Number) and (value in v or v == cut(value))
        else:
            same = v is value
        if same:
            return True
    return False


def cut(value):
    """What stands for a picture or a sound."""
    try:
        return f"({len(base64.b64decode(value, validate=True))} bytes)" if len(value) >= 256 else None
    except ValueError:
        return None


def joined(events):
    """The events with the pieces of each block's JSON in one, read: the span has what it says."""
    texts = {}
    for e in events:
        piece = e["delta"].get("partial_json") if isinstance(e.get("delta"), dict) else None
        if piece is None:
            yield e
        else:
            texts[e.get("index")] = texts.get(e.get("index"), "") + piece
    for text in texts.values():
        whole = one((text or "{}").encode())
        yield {"type": "content_block_delta", "input": text if whole is None else whole}


def said(golden):
    """The answer's documents, or events with their types; of usage told so far the last one counts."""
    if not golden.stream:
        return [(None, a) for a in golden.answers]
    answers = list(joined(golden.answers)) if golden.family == "messages" else golden.answers
    last = max((i for i, a in enumerate(answers) if a.get("usage")), default=-1)
    return [(a.get("type", ""), a if i == last else {k: v for k, v in a.items() if k != "usage"})
        for i, a in enumerate(answers)]


def lost(golden, span):
    """What the exchange said and the span does not hold."""
    names = {side: by_name({k: v for k, v in span.items() if k not in OTHER_SIDE[side]}) for side in OTHER_SIDE}
    parts = [("request", None, golden.request)] + [("answer", *part) for part in said(golden)]
    return [(side, p, v) for side, event, part in parts for p, v in leaves(part)
        if not exempt(golden, event, p, v) and not stands(names[side], p, v)]


def listed(family):
    with open(os.path.join(DATA, "members", family + ".list"), encoding="utf-8") as f:
        return [line.split() for line in f.read().splitlines() if line and not line.startswith("#")]


def goldens(family):
    folder = os.path.join(DATA, family)
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [Golden(family, os.path.join(folder, n)) for n in names if n.endswith(".txt")]


def family_check(family):
    all_of = goldens(family)
    if not all_of:
        ok(True, f"{family}: members # SKIP it has no golden exchanges")
        return []
    seen = {"request": {p for g in all_of for p, _ in walk(g.request)},
        "answer": {p for g in all_of for a in g.answers for p, _ in walk(a)},
        "event": {t for g in all_of for t in g.event_types}}
    unseen = [" ".join(m) for m in listed(family) if m[1] not in seen[m[0]]]
    for m in unseen:
        print(f"# {family}: in no golden exchange: {m}")
    ok(not unseen, f"{family}: every member occurs in a golden exchange")
    everything = [g for g in all_of if g.name.startswith("everything")]
    for g in everything:
        missing = lost(g, g.span)
        for side, path, value in missing[:20]:
            print(f"# {family}/{g.name}: {side} {path}: {value!r} is not in the span")
        ok(not missing, f"{family}/{g.name}: its span holds all that was said")
    return everything


def without(value, path):
    """The value less each member at that path; the number of those."""
    if isinstance(value, list):
        return sum(without(v, path) for v in value)
    if not isinstance(value, dict) or path[0] not in value:
        return 0
    if len(path) > 1:
        return without(value[path[0]], path[1:])
    del value[path[0]]
    return 1


def self_check(everything):
    """Each member of the put-together or copied documents, left out alone, must be missed."""
    tried = missed = 0
    for g in everything:
        for field, said in (("full_request", [g.request]), ("full_response", g.answers)):
            for path in {p for p, v in walk(g.span.get(field)) if p and not isinstance(v, (dict, list))}:
                span = {field: copy.deepcopy(g.span[field])}
                others = {k: v for k, v in g.span.items() if k in ("full_request", "full_response")}
                if not any(path == p for s in said for p, v in leaves(s)):
                    continue        # put together under another path
                if not without(span[field], path.split(".")):
                    continue
                tried += 1
                if not lost(g, {**others, **span}):
                    # the same value stands under the same name elsewhere in the span
                    missed += 1
    print(f"# {tried} members left out, {missed} of them not missed")
    ok(tried > 300 and missed < tried // 6, "a member that is left out is missed")


def main():
    families = sorted(n[:-5] for n in os.listdir(os.path.join(DATA, "members")) if n.endswith(".list"))
    everything = [g for family in families for g in family_check(family)]
    ok(len(everything) > 20, "there are golden exchanges of everything")
    self_check(everything)
    print(f"1..{count}")
    return 0


sys.exit(main())
