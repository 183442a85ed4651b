# SPDX-License-Identifier: Apache-2.0
#
# What the two tables say, in the price file's own members. All numbers are decimals, exactly as they
# stand there; what cannot be said in a price file is told on stderr.
import copy
import json
import re
import sys
from decimal import Decimal, localcontext

import names

TOKEN_KINDS = {
    "input_cost_per_token": "input", "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "audio_in", "input_cost_per_image_token": "image_in",
    "output_cost_per_token": "output", "output_cost_per_reasoning_token": "reasoning",
    "output_cost_per_audio_token": "audio_out", "output_cost_per_image_token": "image_out",
}
TOKEN_KEY = re.compile("^(%s)(?:_above_(\\d+)k_tokens)?(?:_(priority|flex|batches))?$" % "|".join(TOKEN_KINDS))
SERVICE = {"priority": "priority", "flex": "flex", "batches": "batch"}
FALLBACK = {"audio_in": "input", "image_in": "input", "reasoning": "output", "audio_out": "output",
            "image_out": "output", "cache_read": "input", "cache_write": "input"}
GENAI_KINDS = {
    "input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write", "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "audio_in", "output_audio_mtok": "audio_out", "input_image_mtok": "image_in",
    "output_image_mtok": "image_out", "output_reasoning_mtok": "reasoning",
}
GENAI_CALLS = {"web_searches_kcount": "web_search", "storage_searches_kcount": "file_search",
               "requests_kcount": "request", "input_document_kpages": "page"}
# Cached tokens that are no text: their rate is the text's or the sound's in a price file.
GENAI_QUIET = ("cache_audio_read_mtok", "cache_image_read_mtok")
UNKNOWN = {}    # what has no place in a price file: unit -> models


def unknown(unit, model):
    UNKNOWN.setdefault(unit, []).append(model)


def tell_unknown():
    """Says what had to be left out."""
    for unit, models in sorted(UNKNOWN.items()):
        print(f"left out: {unit} of {len(models)} ({', '.join(models[:3])}{', …' if models[3:] else ''})",
              file=sys.stderr)


def load(path):
    """A table, with its numbers as they are written."""
    with open(path, encoding="utf-8") as f:
        return json.load(f, parse_float=Decimal, parse_int=Decimal)


def clean(value, places=15):
    """A number without the noise of a float and with no more places than a price file may have."""
    with localcontext() as ctx:
        ctx.prec = 12
        value = +Decimal(value)
    with localcontext() as ctx:
        ctx.prec = 40
        value = value.quantize(Decimal(1).scaleb(-places)).normalize()
    return Decimal(0) if value == 0 else value


def million(value):
    """A rate of one as that of a million."""
    return clean(Decimal(value) * 1000000, 9)


def number(value):
    return isinstance(value, (Decimal, int)) and not isinstance(value, bool)


def put(content, unit, kind, value):
    content.setdefault(unit, {})[kind] = value


def tier_bound(provider, name, bound):
    """Is a bound passed by more tokens, or by as many? OpenAI and xAI count those as long already."""
    if provider == "xai" or (bound == 272000 and "gpt-5" in name):
        return "prompt_from", bound
    return "prompt_over", bound


def tier_list(tiers, provider, name):
    """Tiers as {bound: {kind: rate}} in the price file's way."""
    out = []
    for bound in sorted(tiers):
        key, n = tier_bound(provider, name, bound)
        out.append({key: n, "per_million_tokens": tiers[bound]})
    return out


def litellm_tokens(content, entry, provider, name):
    """Token rates with their tiers, standard and by service tier."""
    base, tiers = {}, {}
    for key, value in entry.items():
        m = TOKEN_KEY.match(key)
        if not m or not number(value):
            continue
        service = SERVICE.get(m.group(3))
        if m.group(2):
            tiers.setdefault(service, {}).setdefault(int(m.group(2)) * 1000, {})[TOKEN_KINDS[m.group(1)]] = \
                million(value)
        else:
            base.setdefault(service, {})[TOKEN_KINDS[m.group(1)]] = million(value)
    if number(entry.get("input_cost_per_token_cache_hit")):
        base.setdefault(None, {}).setdefault("cache_read", million(entry["input_cost_per_token_cache_hit"]))
    for step in entry.get("tiered_pricing") or []:
        if "range" not in step:
            continue
        rates = {TOKEN_KINDS[k]: million(v) for k, v in step.items() if k in TOKEN_KINDS}
        low = int(step["range"][0])
        if low == 0:
            base.setdefault(None, {}).update(rates)
        else:
            tiers.setdefault(None, {})[low] = rates
    standard = base.pop(None, {})
    if standard:
        content["per_million_tokens"] = standard
    for bound, rates in list(tiers.get(None, {}).items()):
        if all(standard.get(k) == v for k, v in rates.items()):
            del tiers[None][bound]      # no other rates at all
    if tiers.get(None):
        content["tiers"] = tier_list(tiers.pop(None), provider, name)
    services = {}
    for service in ("priority", "flex", "batch"):
        rates = {k: v for k, v in base.get(service, {}).items() if v or standard.get(k) == 0}
        if not rates or ("output" in standard and "output" not in rates and entry.get("mode") != "embedding"):
            continue    # half a tier is a mistake
        services[service] = {"per_million_tokens": rates}
        if tiers.get(service):
            services[service]["tiers"] = tier_list(tiers[service], provider, name)
    if services:
        content["service_tiers"] = services


def litellm_sound(content, entry, key):
    """By the second or by the character."""
    mode = entry.get("mode")
    tokens = any(content.get("per_million_tokens", {}).values())
    second = [entry.get("input_cost_per_second"), entry.get("output_cost_per_second")]
    second = [x for x in second if number(x) and x]     # 0 beside a rate is a filler
    if mode == "audio_transcription" and second:
        put(content, "per_second", "audio_in", clean(second[0]))   # one of them: it is billed once
    elif second and mode == "audio_speech":
        put(content, "per_second", "audio_out", clean(second[-1]))  # for answers that do not tell tokens
    elif second:
        if mode in ("chat", "completion", "embedding"):
            unknown("second of provisioned throughput", key)
    audio = entry.get("input_cost_per_audio_per_second")
    if number(audio) and audio and not tokens:
        put(content, "per_second", "audio_in", clean(audio))
    elif number(audio) and audio and mode == "embedding":
        put(content, "per_second", "audio_in", clean(audio))
    if tokens:
        return
    for member, kind in (("input_cost_per_character", "input"), ("output_cost_per_character", "output")):
        if number(entry.get(member)) and entry[member]:
            put(content, "per_million_characters", kind, million(entry[member]))


def litellm_image_rates(content, entry, key):
    """By the image. Where images are billed in tokens too, it is for answers that do not tell them."""
    tokens = content.get("per_million_tokens", {})
    mode = entry.get("mode")
    each = entry.get("input_cost_per_image")
    if number(each) and each:
        if mode in ("chat", "realtime", "responses") or "image_in" in tokens or mode == "image_generation" and tokens:
            if each < Decimal("0.0001") and "image_in" not in tokens:   # of a token, by its size
                tokens["image_in"] = million(each)
        elif mode == "image_generation":
            put(content, "per_image", "output", clean(each))
        else:
            put(content, "per_image", "input", clean(each))
    each = entry.get("output_cost_per_image")
    if number(each) and each and (mode in ("image_generation", "image_edit") or not tokens.get("output")):
        put(content, "per_image", "output", clean(each))
    pixel = entry.get("input_cost_per_pixel")
    if number(pixel) and pixel and not content:
        put(content, "per_image", "1024x1024", clean(pixel * 1024 * 1024))


def litellm_calls(content, entry, key):
    """By the call, and what tools cost."""
    query = entry.get("input_cost_per_query")
    if not number(query):
        steps = [s["input_cost_per_query"] for s in entry.get("tiered_pricing") or [] if "input_cost_per_query" in s]
        query = steps[0] if steps else None
        if steps:
            content["note"] = "with the default number of results"
    if number(query) and entry.get("mode") == "rerank":
        put(content, "per_thousand_calls", "query", clean(query * 1000, 9))
    elif number(query):
        put(content, "per_thousand_calls", "request", clean(query * 1000, 9))
    search = (entry.get("search_context_cost_per_query") or {}).get("search_context_size_medium")
    for value, kind in ((entry.get("input_cost_per_request"), "request"), (search, "web_search"),
                        (entry.get("ocr_cost_per_page"), "page"),
                        (entry.get("code_interpreter_cost_per_session"), "code_interpreter")):
        if number(value) and value:
            put(content, "per_thousand_calls", kind, clean(value * 1000, 9))
    factors = {}
    special = entry.get("provider_specific_entry") or {}
    for name, member in (("us", "inference_geo:us"), ("fast", "speed:fast")):
        if number(special.get(name)):
            factors[member] = clean(special[name])
    for region in ("eu", "us"):
        factor = entry.get("regional_processing_uplift_multiplier_" + region)
        if number(factor) and factor != 1:
            factors["region:" + region] = clean(factor)
    if factors:
        content["multipliers"] = factors
    for member in entry:
        if entry[member] and re.search(r"video|dbu|citation|annotation|per_credit|computer_use", member) and \
                "cost" in member:
            unknown(re.sub(r"_above.*|_\d+p$", "", member), key)


def tidy(content, mode=None):
    """Leaves out what another rate says already, and what is only there to fill a place."""
    tokens = content.get("per_million_tokens", {})
    if mode in ("embedding", "rerank"):
        for part in [content] + list(content.get("service_tiers", {}).values()):
            if part.get("per_million_tokens", {}).get("output") == 0:
                del part["per_million_tokens"]["output"]
    others = {k: v for k, v in content.items() if k != "per_million_tokens"}
    if list(others.get("per_thousand_calls", {})) == ["web_search"]:
        del others["per_thousand_calls"]
    if not any(tokens.values()) and not free(others):
        tokens.clear()      # they fill a place
    if "audio_in" in tokens:        # the same sound in another unit
        content.get("per_second", {}).pop("audio_in", None)
    if "image_in" in tokens:
        content.get("per_image", {}).pop("input", None)
    named = set()
    for part in [content] + list(content.get("service_tiers", {}).values()):
        for tier in part.get("tiers", []):
            named.update(tier["per_million_tokens"])
        if part is not content:
            named.update(part["per_million_tokens"])
    for kind, other in FALLBACK.items():
        if kind in tokens and kind not in named and tokens[kind] == tokens.get(other) and kind != "cache_read":
            del tokens[kind]
    for unit in [k for k, v in content.items() if v in ({}, [])]:
        del content[unit]
    return content


def free(content):
    """Are all rates zero?"""
    return not any(rate for unit, rates in content.items() if unit.startswith("per_") for rate in rates.values())


def rated(content):
    return any(k.startswith("per_") for k in content)


def litellm_content(key, entry, provider, name):
    """One of LiteLLM's entries as content of a price file's; {} if there is nothing to bill by."""
    content, mode = {}, entry.get("mode")
    litellm_tokens(content, entry, provider, name)
    litellm_sound(content, entry, key)
    litellm_image_rates(content, entry, key)
    litellm_calls(content, entry, key)
    if provider == "groq" and "audio_in" in content.get("per_second", {}):
        content["min_seconds"] = Decimal(10)
    tidy(content, mode)
    return content if rated(content) else {}


def image_size(entry, size):
    """What an image of this size costs; the rates of pixels are rounded figures of whole tenths of cents."""
    for member in ("input_cost_per_image", "output_cost_per_image"):
        if number(entry.get(member)) and entry[member]:
            return clean(entry[member])
    rate = entry.get("input_cost_per_pixel")
    if not number(rate) or not rate:
        return None
    wide, high = size.split("/")[-1].split("x")
    exact = rate * int(wide) * int(high)
    rounded = exact.quantize(Decimal("0.001"))
    return clean(rounded if abs(rounded - exact) < exact / 200 else exact.quantize(Decimal("0.00001")))


def litellm_table(path):
    """{provider: {name in lower case: (name, content)}} of LiteLLM's file."""
    table, sizes = {}, {}
    for key, entry in load(path).items():
        provider = names.litellm_provider(key, entry)
        if provider is None:
            continue
        model, size = names.litellm_image(key)
        name = names.litellm_name(model, entry)
        if size == "":
            unknown("image of most steps", key)
            continue
        if size is not None:
            each = image_size(entry, size)
            if each is not None:
                sizes.setdefault((provider, name), {})[size] = each
            continue
        if entry.get("mode") == "image_generation" and provider == "fireworks":
            unknown("step of an image", key)
            continue
        content = litellm_content(key, entry, provider, name)
        if not content:
            if entry.get("mode") == "video_generation":
                unknown("video", key)
            continue
        old = table.setdefault(provider, {}).get(name.lower())
        if old is not None and free(old[1]):
            old = None      # Mistral's codestral endpoint beside Mistral's own
        if old is not None and not free(content):
            content = join(old[1], content, provider, name)
            name = old[0]
        elif old is not None:
            continue
        table[provider][name.lower()] = (name, content)
    for (provider, name), rates in sizes.items():
        _, content = table.setdefault(provider, {}).setdefault(name.lower(), (name, {}))
        content.setdefault("per_image", {}).update(rates)
    for models in table.values():
        inherit(models)
    return table


def inherit(models):
    """A dated name with the rates of its model has the model's tiers too: LiteLLM lists them for one of
    the two only."""
    for low in list(models):
        other = models.get(names.undated(low))
        if other is None or other is models[low]:
            continue
        for mine, more in ((models[low][1], other[1]), (other[1], models[low][1])):
            if mine.get("per_million_tokens") == more.get("per_million_tokens"):
                for member in ("tiers", "service_tiers", "multipliers", "per_thousand_calls"):
                    if member in more:
                        mine.setdefault(member, copy.deepcopy(more[member]))


def join(old, new, provider, name):
    """Two of LiteLLM's entries for one name: what only one has is kept, the later one wins."""
    out = {**old, **new}
    for unit, rates in old.items():
        if unit.startswith("per_") and unit in new:
            out[unit] = {**rates, **new[unit]}
        if unit.startswith("per_") and any(out[unit][k] != v for k, v in rates.items()):
            print(f"two entries of LiteLLM for {provider} {name}: {unit}", file=sys.stderr)
    return out


def genai_content(prices, label, provider):
    """One of genai-prices' lists of prices as content of a price file's entry."""
    content, tiers = {}, {}
    for unit, price in prices.items():
        if unit in GENAI_KINDS:
            kind = GENAI_KINDS[unit]
            if isinstance(price, dict):
                for tier in price["tiers"]:
                    tiers.setdefault(int(tier["start"]), {})[kind] = clean(tier["price"], 9)
                price = price["base"]
            put(content, "per_million_tokens", kind, clean(price, 9))
        elif unit in GENAI_CALLS:
            put(content, "per_thousand_calls", GENAI_CALLS[unit], clean(price, 9))
        elif unit in ("audio_hours", "input_audio_hours"):
            put(content, "per_second", "audio_in", clean(Decimal(price) / 3600))
        elif unit not in GENAI_QUIET:
            unknown(unit, label)
    if tiers:
        content["tiers"] = []
        for start in sorted(tiers):
            bound = ("prompt_from", start + 1) if start % 1000 == 999 else ("prompt_over", start)
            content["tiers"].append({bound[0]: bound[1], "per_million_tokens": tiers[start]})
    if provider == "groq" and "per_second" in content:
        content["min_seconds"] = Decimal(10)
    return content if rated(content) else {}


def genai_periods(model, label, provider):
    """[(from, hours, content)] of one of genai-prices' models. There a window of the day holds whatever
    the date; it is meant to begin with the last date that stands before it."""
    prices = model["prices"]
    if isinstance(prices, dict):
        prices = [{"prices": prices}]
    out, since = [], None
    for part in prices:
        constraint = part.get("constraint") or {}
        hours = None
        if constraint.get("type") == "start_date":
            since = constraint["start_date"]
        elif constraint:
            hours = [constraint["start_time"][:5], constraint["end_time"][:5]]
        content = genai_content(part["prices"], label, provider)
        if content:
            out.append((since, hours, content))
    return out
