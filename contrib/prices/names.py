# SPDX-License-Identifier: Apache-2.0
#
# Whose model is it, and what is it called? Both tables name providers and models in their own way; here
# is what that is in a price file. Used by make and compare.
import re

# LiteLLM's `litellm_provider`, where its name is not ours already.
LITELLM = {
    "gemini": "google", "azure_text": "azure", "azure_ai": "azure", "bedrock_converse": "bedrock",
    "bedrock_mantle": "bedrock", "amazon_nova": "bedrock", "codestral": "mistral",
    "text-completion-codestral": "mistral", "text-completion-openai": "openai", "cohere_chat": "cohere",
    "together_ai": "together", "fireworks_ai": "fireworks", "fireworks_ai-embedding-models": "fireworks",
    "text-completion-inception": "inception",
}
# What stands before the model in LiteLLM's key, where it is not "provider/".
PREFIXES = {
    "azure_text": ["azure/"], "vertex_ai": ["vertex_ai/"], "bedrock": ["bedrock/invoke/", "bedrock/"],
    "amazon_nova": ["amazon-nova/"], "fireworks_ai-embedding-models": ["fireworks_ai/"],
    "replicate": ["replicate/", "replicate"],
}
# genai-prices' providers.
GENAI = {
    "aws": "bedrock", "x-ai": "xai", "moonshotai": "moonshot", "zhipuai": "zai", "voyageai": "voyage",
    "github-copilot": "github_copilot",
}

IMAGE_KEY = re.compile(r"^(?:(low|medium|high|standard|hd|auto)/)?(\d+-x-\d+|max-x-max)/"
                       r"(?:(\d+-steps|max-steps)/)?(.+)$")
# What is no model's name: "-2025" of claude-sonnet-4-2025, "-0" of gemini-2.0-flash-0.
FRAGMENT = re.compile(r"([-@./:_]|-2025|-2024|flash-0|gpt-4-0)$")
# Names that genai-prices takes by their beginnings, and that are not those of days.
ALSO = {
    "anthropic": ["claude-2.0", "claude-2.1", "claude-3-5-sonnet-latest"],
    "google": ["gemini-1.5-flash-001", "gemini-1.5-flash-002", "gemini-1.5-flash-latest", "gemini-1.5-pro-001",
               "gemini-1.5-pro-002", "gemini-1.5-pro-latest"],
}
# Regions whose Bedrock prices are their own.
REGION = re.compile(r"^(eu|apac|jp|au|ap|ca|sa|in|us-gov)\.")


def undated(name):
    """A name without the day at its end."""
    return re.sub(r"[-@](\d{8}|\d{4}-\d\d-\d\d)$", "", name)


def plain(name):
    """A name without what may be written in two ways: dots for dashes, a day."""
    return undated(name.lower()).replace(".", "-")


def litellm_provider(key, entry):
    """The price file's name of the provider of one of LiteLLM's entries, or None."""
    p = entry.get("litellm_provider")
    if p is None or p.startswith("one of ") or key.endswith("/"):
        return None
    if p.startswith("vertex_ai"):
        return "vertex"
    return LITELLM.get(p, p.replace("-", "_"))


def litellm_name(key, entry):
    """The model's own name in one of LiteLLM's keys."""
    p = entry["litellm_provider"]
    own = "vertex_ai" if p.startswith("vertex_ai") else p
    for prefix in PREFIXES.get(own, [own + "/"]):
        if key.startswith(prefix):
            return key[len(prefix):]
    return key


def litellm_image(key):
    """(model's key, its size in a price file or None) for a key that holds an image's quality and size.
    The size is empty where a price file cannot say it."""
    start = ""
    for prefix in ("azure/", "bedrock/"):
        if key.startswith(prefix):
            start, key = prefix, key[len(prefix):]
    m = IMAGE_KEY.match(key)
    if not m:
        return start + key, None
    quality, size, steps, model = m.groups()
    if steps == "max-steps":
        if size == "max-x-max":
            return start + model, ""
        quality = "max-steps"
    size = "output" if size == "max-x-max" else size.replace("-x-", "x")
    if quality and quality != "standard" and size != "output":
        size = quality + "/" + size
    return start + model, size


def genai_provider(ident, model=""):
    """The price file's name of a provider of genai-prices; Google's Claude is sold by Vertex."""
    if ident.startswith("huggingface_"):
        return "huggingface"
    if ident == "google" and ("claude" in model or model.endswith("-maas")):
        return "vertex"
    return GENAI.get(ident, ident.replace("-", "_"))


def genai_suffix(ident):
    """What Hugging Face's router puts behind a model's name to say who runs it."""
    return ":" + ident[len("huggingface_"):] if ident.startswith("huggingface_") else ""


def matches(clause, name):
    """Does genai-prices' clause hold for a name?"""
    (kind, what), = clause.items()
    if kind == "or":
        return any(matches(c, name) for c in what)
    if kind == "and":
        return all(matches(c, name) for c in what)
    if kind == "regex":
        return re.search(what, name) is not None
    name, what = name.lower(), what.lower()
    return {"equals": name == what, "starts_with": name.startswith(what),
            "ends_with": name.endswith(what), "contains": what in name}[kind]


def literals(clause):
    """(kind, text) of all texts in a clause."""
    (kind, what), = clause.items()
    if kind in ("or", "and"):
        return [x for c in what for x in literals(c)]
    return [(kind, what)]


def genai_find(provider, name):
    """The model of one of genai-prices' providers that has this name, or None; the first one counts."""
    for model in provider["models"]:
        if matches(model["match"], name):
            return model
    return None


def genai_names(provider, model):
    """The names that genai-prices is sure of: exact ones, and beginnings that are whole names."""
    names = []
    if not model["id"].startswith("regional."):
        names.append(model["id"])
    for kind, text in literals(model["match"]):
        if kind == "starts_with" and text.endswith(".ft-"):
            names.append(text + "*")    # one that nothing else begins with
        elif kind == "equals" or (kind in ("starts_with", "contains", "ends_with") and not FRAGMENT.search(text)):
            names.append(text)
    names += [n for n in ALSO.get(provider["id"], []) if genai_find(provider, n) is model]
    out, seen = [], set()
    for name in names:
        found = genai_find(provider, name)
        if name.lower() in seen or FRAGMENT.search(name) or (found is not None and found is not model):
            continue
        seen.add(name.lower())
        out.append(name)
    return out


def genai_models(providers, provider, name):
    """genai-prices' models for a name of ours, the most likely first."""
    if provider in ("azure", "bedrock") and "/" in name:
        return      # regional ones: its clauses would take them for the base
    for p in sorted(providers, key=lambda p: p["id"] == "zhipuai"):
        if p["id"] == "google" and provider in ("google", "vertex"):
            model = genai_find(p, name)
            if model is not None and ("claude" not in name or provider == "vertex"):
                yield p, model
        elif genai_provider(p["id"]) == provider and not p["id"].startswith("huggingface_"):
            model = genai_find(p, name)
            if model is None and provider == "fireworks":
                model = genai_find(p, "accounts/fireworks/models/" + name)
            if model is None:
                continue
            if provider == "bedrock" and REGION.match(name):
                region = REGION.match(name).group(0)
                if not any(region in text for _, text in literals(model["match"])):
                    continue
            yield p, model
