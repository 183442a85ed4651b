#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Is the built-in price file what pricing/README.md says? Each member is known, each rate a plain decimal
# that is exact in the program, nothing stands twice; and the worked examples come out of its rates.
# At the end entries are damaged, to see that this would be noticed.
import copy
import datetime
import json
import os
import re
import sys
from decimal import Decimal

TOP = os.environ.get("TOP_SRCDIR", ".")
FILE = os.path.join(TOP, "pricing", "prices.json")
OVERRIDES = os.path.join(TOP, "pricing", "overrides.json")

KINDS = {
    "per_million_tokens": {"input", "cache_read", "cache_write", "cache_write_1h", "audio_in", "image_in", "output",
                           "reasoning", "audio_out", "image_out"},
    "per_million_characters": {"input", "output"},
    "per_second": {"audio_in", "audio_out"},
    "per_image": {"output", "input"},
    "per_thousand_calls": {"request", "web_search", "query", "page", "code_interpreter", "file_search"},
}
# Decimal places of a rate that are exact as 10^-15 USD for one.
PLACES = {"per_million_tokens": 9, "per_million_characters": 9, "per_second": 15, "per_image": 15,
          "per_thousand_calls": 12}
CONTEXT = re.compile(r"^(request|web_search):(low|medium|high)$")
SIZE = re.compile(r"^([a-z-]+/)?\d+x\d+$")
MEMBERS = {"provider", "match", "aliases", "from", "until", "hours", "tiers", "service_tiers", "multipliers",
           "min_seconds", "note"} | set(KINDS)
DAY = re.compile(r"^\d{4}-\d\d-\d\d$")
HOUR = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")

count = 0


def ok(good, name, why=()):
    global count
    count += 1
    print(f"{'' if good else 'not '}ok {count} - {name}", flush=True)
    for line in list(why)[:10]:
        print(f"# {line}", flush=True)


def pairs(members):
    """An object; a member that stands twice is an error."""
    out = dict(members)
    if len(out) != len(members):
        raise ValueError("a member stands twice: " + ", ".join(k for k, _ in members))
    return out


def load(text):
    return json.loads(text, parse_float=Decimal, parse_int=Decimal, object_pairs_hook=pairs)


def rates_wrong(part):
    """What is wrong with the rates of an entry, a tier or a service tier."""
    for unit in KINDS:
        for kind, rate in part.get(unit, {}).items():
            sized = {"per_image": SIZE, "per_thousand_calls": CONTEXT}.get(unit)
            if kind not in KINDS[unit] and not (sized and sized.match(kind)):
                yield f"{unit} has no {kind}"
            if not isinstance(rate, Decimal) or rate < 0:
                yield f"{unit}.{kind} is {rate}"
            elif -rate.normalize().as_tuple().exponent > PLACES[unit]:
                yield f"{unit}.{kind} has too many places: {rate}"
        if unit in part and not part[unit]:
            yield f"{unit} is empty"


def tiers_wrong(part):
    bounds = []
    for tier in part.get("tiers", []):
        bound = [tier[k] for k in ("prompt_over", "prompt_from") if k in tier]
        if len(bound) != 1 or set(tier) - {"prompt_over", "prompt_from"} - set(KINDS) or len(tier) < 2:
            yield f"a tier has {', '.join(tier)}"
        bounds += bound
        yield from rates_wrong(tier)
    if bounds != sorted(set(bounds)):
        yield f"tiers go up: {bounds}"


def day_wrong(text):
    """Is it no day?"""
    try:
        datetime.datetime.strptime(text, "%Y-%m-%d")
        return not DAY.match(text)
    except ValueError:
        return True


def entry_wrong(e):
    """What is wrong with an entry."""
    if set(e) - MEMBERS:
        yield "unknown: " + ", ".join(set(e) - MEMBERS)
    if not e.get("provider") or not e.get("match"):
        yield "no provider or no name"
    for name in e.get("match", []) + e.get("aliases", []):
        if not name or name != name.strip() or re.search(r"[\x00-\x1f\x7f]", name):
            yield f"the name {name!r}"
    if not any(unit in e for unit in KINDS):
        yield "no rate"
    yield from rates_wrong(e)
    yield from tiers_wrong(e)
    for name, tier in e.get("service_tiers", {}).items():
        if name not in ("priority", "flex", "batch") or set(tier) - set(KINDS) - {"tiers"}:
            yield f"service tier {name}"
        yield from rates_wrong(tier)
        yield from tiers_wrong(tier)
    for member in ("from", "until"):
        if member in e and day_wrong(e[member]):
            yield f"{member} {e[member]}"
    if "hours" in e and (len(e["hours"]) != 2 or not all(HOUR.match(h) for h in e["hours"])):
        yield f"hours {e['hours']}"
    for name, factor in e.get("multipliers", {}).items():
        if ":" not in name or not 0 < factor <= 1000:
            yield f"multiplier {name}"
    if not 0 <= e.get("min_seconds", 0) <= 3600:
        yield "min_seconds"


def minutes(hours):
    """The minutes of the day that a window holds."""
    start, end = (int(h[:2]) * 60 + int(h[3:]) for h in hours)
    return {(start + i) % 1440 for i in range((end - start) % 1440)}


def twice(entries):
    """Names for which two entries would be chosen as well."""
    seen = {}
    for e in entries:
        for name in e["match"] + e.get("aliases", []):
            for other in seen.setdefault((e["provider"], name.lower(), e.get("from")), []):
                a, b = e.get("hours"), other.get("hours")
                meet = a is b if a is None or b is None else bool(minutes(a) & minutes(b))
                if meet:
                    yield f"{e['provider']} {name}"
            seen[e["provider"], name.lower(), e.get("from")].append(e)


def order(e):
    return e["provider"], e["match"][0].lower(), e.get("from", ""), e.get("until", "")


def find(entries, provider, name, day, hour="12:00"):
    """The entry of a model by its exact name."""
    minute = int(hour[:2]) * 60 + int(hour[3:])
    best = [e for e in entries if e["provider"] == provider and
            name.lower() in [n.lower() for n in e["match"] + e.get("aliases", [])] and
            e.get("from", "") <= day < e.get("until", "9999") and
            ("hours" not in e or minute in minutes(e["hours"]))]
    return max(best, key=lambda e: (e.get("from", ""), "hours" in e)) if best else None


FALLBACK = {"cache_read": "input", "cache_write": "input", "cache_write_1h": "input", "audio_in": "input",
            "image_in": "input", "reasoning": "output", "audio_out": "output", "image_out": "output"}


def rates_at(entry, prompt, service=None):
    """The token rates for a prompt of so many tokens."""
    rates = {}
    for part in (entry, entry.get("service_tiers", {}).get(service) if service else None):
        if part is None:
            continue
        rates.update(part.get("per_million_tokens", {}))
        for tier in part.get("tiers", []):
            if prompt > tier.get("prompt_over", prompt) or prompt >= tier.get("prompt_from", prompt + 1):
                rates.update(tier["per_million_tokens"])
    return rates


def cost(entry, prompt, service=None, **units):
    """USD of so many tokens of each kind, and of other units (seconds, characters)."""
    rates, total = rates_at(entry, prompt, service), Decimal(0)
    for kind, n in units.items():
        if kind == "seconds":
            total += n * entry["per_second"]["audio_in"]
        elif kind == "characters":
            total += n * entry["per_million_characters"]["input"] / 1000000
        else:
            rate = rates.get(kind)
            if rate is None:
                rate = rates[FALLBACK[kind]] * (2 if kind == "cache_write_1h" else 1)
            total += n * rate / 1000000
    return total


# name, provider, model, day, prompt, service tier, units, USD
EXAMPLES = [
    ("cached part of a prompt", "openai", "gpt-4o", "2026-11-20", 1000, None,
     {"input": 400, "cache_read": 600, "output": 200}, "0.003750"),
    ("reasoning is not extra", "openai", "o3", "2026-11-20", 1000, None,
     {"input": 1000, "output": 100, "reasoning": 400}, "0.006"),
    ("written to the cache", "anthropic", "claude-3-7-sonnet-20250219", "2026-11-20", 12307, None,
     {"input": 3, "cache_write": 12304, "output": 550}, "0.054399"),
    ("kept for an hour", "anthropic", "claude-sonnet-4-5", "2026-11-20", 8100, None,
     {"input": 100, "cache_write": 2000, "cache_write_1h": 1000, "cache_read": 5000, "output": 300}, "0.0198"),
    ("long by what was cached", "anthropic", "claude-sonnet-4-5-20250929", "2026-11-20", 210000, None,
     {"input": 50000, "cache_read": 160000, "output": 1000}, "0.4185"),
    ("at its launch", "openai", "gpt-5.6-sol", "2026-08-20", 2600, None,
     {"input": 200, "cache_write": 400, "cache_read": 2000}, "0.0045"),
    ("after its cut", "openai", "gpt-5.6-sol", "2026-08-21", 2600, None,
     {"input": 200, "cache_write": 400, "cache_read": 2000}, "0.0036"),
    ("flex", "openai", "gpt-5.4", "2026-11-20", 10000, "flex",
     {"input": 6000, "cache_read": 4000, "output": 1000}, "0.015520"),
    ("a long prompt", "openai", "gpt-5.4", "2026-11-20", 300000, None, {"input": 300000, "output": 1000}, "1.5225"),
    ("as long as the bound", "openai", "gpt-5.4", "2026-11-20", 272000, None, {"input": 272000}, "1.36"),
    ("below the bound", "openai", "gpt-5.4", "2026-11-20", 271999, None, {"input": 271999}, "0.6799975"),
    ("sound in and out", "openai", "gpt-audio", "2026-11-20", 150, None,
     {"input": 50, "audio_in": 100, "output": 40, "audio_out": 180}, "0.015245"),
    ("reasoning beside the output", "xai", "grok-3-mini", "2026-11-20", 12, None,
     {"input": 1, "cache_read": 11, "output": 1, "reasoning": 290}, "0.000146625"),
    ("as the ticks say", "xai", "grok-4.20", "2026-11-20", 10120, None,
     {"input": 9992, "cache_read": 128, "output": 1499, "reasoning": 2809}, "0.0232856"),
    ("seconds", "openai", "whisper-1", "2026-11-20", 0, None, {"seconds": 9}, "0.0009"),
    ("sound by genai-prices", "openai", "gpt-4o-transcribe", "2026-11-20", 14, None,
     {"audio_in": 14, "output": 45}, "0.000534"),
    ("characters", "openai", "tts-1", "2026-11-20", 0, None, {"characters": 43}, "0.000645"),
    ("an embedding", "openai", "text-embedding-3-small", "2026-11-20", 8, None, {"input": 8}, "0.00000016"),
    ("images in tokens", "openai", "gpt-image-1", "2026-11-20", 50, None,
     {"input": 10, "image_in": 40, "image_out": 50}, "0.00245"),
    ("all that the total tells", "google", "gemini-2.5-pro", "2026-11-20", 20, None,
     {"input": 20, "output": 603}, "0.006055"),
    ("V3.2", "deepseek", "deepseek-chat", "2026-01-15", 18, None,
     {"input": 18, "output": 14, "reasoning": 205}, "0.00009702"),
    ("no tier any more", "anthropic", "claude-opus-4-6", "2026-03-13", 300000, None, {"input": 300000}, "1.5"),
    ("a tier until then", "anthropic", "claude-opus-4-6", "2026-03-12", 300000, None, {"input": 300000}, "3"),
    ("a dated name of its own", "openai", "gpt-4o-2024-05-13", "2026-11-20", 1000, None,
     {"input": 400, "cache_read": 600, "output": 200}, "0.008"),
]


def examples(entries):
    for name, provider, model, day, prompt, service, units, want in EXAMPLES:
        e = find(entries, provider, model, day)
        got = None if e is None else cost(e, prompt, service, **units)
        ok(got == Decimal(want), f"{model}, {name}: {want}", [] if got == Decimal(want) else [f"it is {got}"])
    night = find(entries, "deepseek", "deepseek-v4-flash", "2026-11-20", "02:00")
    noon = find(entries, "deepseek", "deepseek-v4-flash", "2026-11-20", "12:00")
    ok(rates_at(night, 1)["input"] == 2 * rates_at(noon, 1)["input"], "deepseek-v4-flash by the time of day")
    images = find(entries, "openai", "dall-e-3", "2026-11-20")["per_image"]
    ok(images["hd/1024x1792"] == Decimal("0.12") and images["1024x1792"] == Decimal("0.08"), "dall-e-3 by its size")
    sonnet, opus = (find(entries, "anthropic", n, "2026-11-20") for n in ("claude-sonnet-5", "claude-opus-4-6"))
    ok(sonnet["multipliers"] == {"inference_geo:us": Decimal("1.1")} and
       opus["multipliers"]["speed:fast"] == 6, "factors of Anthropic's")
    ok(find(entries, "groq", "whisper-large-v3", "2026-11-20")["min_seconds"] == 10, "Groq's ten seconds")
    sonar = find(entries, "perplexity", "sonar", "2026-11-20")["per_thousand_calls"]
    ok(sonar == {"request": 5, "request:medium": 8, "request:high": 12}, "Perplexity's fees by the context's size")
    ok(find(entries, "cohere", "rerank-v3.5", "2026-11-20")["per_thousand_calls"]["query"] == 2, "a rerank's queries")


def damaged(entries):
    """Each damage must be seen."""
    good = find(entries, "anthropic", "claude-sonnet-4-5", "2026-11-20")
    seen, damages = [], [
        ("a rate below zero", lambda e: e["per_million_tokens"].update(input=Decimal("-1"))),
        ("a rate as text", lambda e: e["per_million_tokens"].update(input="3")),
        ("an unknown kind", lambda e: e["per_million_tokens"].update(thinking=Decimal(3))),
        ("an unknown member", lambda e: e.update(per_token={})),
        ("a tier without a bound", lambda e: e["tiers"][0].pop("prompt_over")),
        ("too many places", lambda e: e["per_million_tokens"].update(input=Decimal("2.9999900000000002"))),
        ("a day that is none", lambda e: e.update({"from": "2026-02-30"})),
    ]
    for name, damage in damages:
        e = copy.deepcopy(good)
        damage(e)
        if not list(entry_wrong(e)):
            seen.append(name)
    ok(not list(entry_wrong(good)) and not seen, "a damaged entry is noticed", seen)
    ok(list(twice([good, copy.deepcopy(good)])) != [], "a name that stands twice is noticed")


def main():
    with open(FILE, encoding="utf-8") as f:
        text = f.read()
    try:
        table, entries = load(text), load(text)["prices"]
    except ValueError as err:
        ok(False, "JSON without a member twice", [err])
        return 1
    ok(table["format"] == 1 and table["name"] == "spangate" and not day_wrong(table["updated"]) and
       set(table) == {"format", "name", "updated", "sources", "prices"}, "what the file says of itself")
    ok(all("MIT" in s and "Copyright" in s for s in table["sources"]) and len(table["sources"]) == 2,
       "its sources with their licence")
    wrong = [f"{e.get('provider')} {e.get('match', ['?'])[0]}: {w}" for e in entries for w in entry_wrong(e)]
    ok(not wrong, f"{len(entries)} entries as the format has them", wrong)
    wrong = list(twice(entries))
    ok(not wrong, "no name stands twice", wrong)
    lines = text.splitlines()
    first = lines.index('"prices": [') + 1
    alone = all(load(line.rstrip(",")) == e for line, e in zip(lines[first:], entries))
    ok(alone and len(lines) == first + len(entries) + 1, "one entry is one line")
    ok([order(e) for e in entries] == sorted(order(e) for e in entries), "they are sorted")
    ok(len(text.encode()) < 1000000, "less than a megabyte")
    with open(OVERRIDES, encoding="utf-8") as f:
        extra = load(f.read())["prices"]
    lost = [e["match"][0] for e in extra if e not in entries]
    ok(not lost and all(e.get("note") for e in extra), "the overrides stand in it, with their sources", lost)
    examples(entries)
    damaged(entries)
    print(f"1..{count}")
    return 0


sys.exit(main())
