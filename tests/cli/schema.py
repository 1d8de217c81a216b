# SPDX-License-Identifier: MIT
"""
Validates JSON by a schema: the part of JSON Schema draft-07 that the project's schemas use.

An unknown keyword is an error: nothing of a schema is silently left unchecked.
"""
import re

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
         "number": (int, float)}
ANNOTATIONS = {"$schema", "$id", "title", "description", "definitions"}


class Invalid(Exception):
    """The document violates the schema; the text names the place."""


def need(condition, path, text):
    if not condition:
        raise Invalid(f"{path or '/'}: {text}")


def has_type(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def is_valid(value, schema, root, path):
    try:
        validate(value, schema, root, path)
        return True
    except Invalid:
        return False


def check_object(value, schema, root, path):
    known = schema.get("properties", {})
    for name, part in known.items():
        if name in value:
            validate(value[name], part, root, f"{path}/{name}")
    if schema.get("additionalProperties", True) is False:
        need(not set(value) - set(known), path, f"unknown members {set(value) - set(known)}")


def check_items(value, schema, root, path):
    for n, item in enumerate(value):
        validate(item, schema["items"], root, f"{path}/{n}")


def check_ref(value, schema, root, path):
    target = root
    for name in schema["$ref"].removeprefix("#/").split("/"):
        target = target[name]
    validate(value, target, root, path)


# keyword -> function(value, schema, root, path); those for one type leave other types alone
KEYWORDS = {
    "$ref": check_ref,
    "type": lambda v, s, r, p: need(has_type(v, s["type"]), p, f"{v!r} is no {s['type']}"),
    "const": lambda v, s, r, p: need(v == s["const"], p, f"{v!r} is not {s['const']!r}"),
    "enum": lambda v, s, r, p: need(v in s["enum"], p, f"{v!r} is not in {s['enum']}"),
    "required": lambda v, s, r, p: need(
        not isinstance(v, dict) or not set(s["required"]) - set(v), p,
        f"lacks members of {s['required']}"),
    "properties": lambda v, s, r, p: isinstance(v, dict) and check_object(v, s, r, p),
    "additionalProperties": lambda v, s, r, p: isinstance(v, dict) and check_object(v, s, r, p),
    "pattern": lambda v, s, r, p: need(
        not isinstance(v, str) or re.search(s["pattern"], v), p, f"{v!r} has not the pattern"),
    "items": lambda v, s, r, p: isinstance(v, list) and check_items(v, s, r, p),
    "minItems": lambda v, s, r, p: need(
        not isinstance(v, list) or len(v) >= s["minItems"], p, "too few items"),
    "oneOf": lambda v, s, r, p: need(
        sum(is_valid(v, part, r, p) for part in s["oneOf"]) == 1, p, "not exactly one of oneOf"),
    "anyOf": lambda v, s, r, p: need(
        any(is_valid(v, part, r, p) for part in s["anyOf"]), p, "none of anyOf"),
    "not": lambda v, s, r, p: need(not is_valid(v, s["not"], r, p), p, "what must not be"),
}


def validate(value, schema, root=None, path=""):
    """Raises Invalid unless value conforms to schema."""
    root = schema if root is None else root
    unknown = set(schema) - set(KEYWORDS) - ANNOTATIONS
    assert not unknown, f"the schema has keywords that this validator does not know: {unknown}"
    for keyword in schema:
        if keyword in KEYWORDS:
            KEYWORDS[keyword](value, schema, root, path)
