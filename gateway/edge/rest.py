"""REST bodies: which message each must be, so that an unknown field is refused instead of silently dropped.

Envoy's transcoder ignores JSON fields it does not know, and bounds only what it has to hold back. Both are made good
on the routes that take a body, and only there: a call over gRPC passes neither filter.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet

from gateway.edge.settings import EdgeError

GUARD = Path(__file__).with_name("json_guard.lua")
VERBS = ("post", "put", "patch", "delete")
ANY_JSON = ""
"""Type of what is not looked into: scalars, and the well-known types with a JSON form of their own."""

_MAP = "map:"


@dataclass(frozen=True, slots=True)
class Binding:
    """An HTTP method and path (as a regular expression) whose body is JSON of the message `message` of `owner`."""

    method: str
    pattern: str
    message: str
    owner: str
    has_verb: bool


@dataclass(frozen=True, slots=True)
class RestBodies:
    """All bindings with a body, the most specific first, and the fields of every message they reach."""

    bindings: tuple[Binding, ...]
    schema: Mapping[str, Mapping[str, str]]

    def guard(self) -> str:
        """The Lua program that checks a body against the schema."""
        return GUARD.read_text(encoding="utf-8").replace("{--[[SCHEMA]]}", _lua(self.schema))


def read_rest_bodies(files: FileDescriptorSet) -> RestBodies:
    """Read bindings and fields from the descriptors. Raises EdgeError for a body that is no message."""
    messages = {name: message for file in files.file for name, message in _messages(file.package, file.message_type)}
    bindings = sorted(_bindings(files, messages), key=lambda one: (not one.has_verb, one.pattern, one.method))
    schema: dict[str, dict[str, str]] = {}
    for binding in bindings:
        _collect(binding.message, messages, schema)
    return RestBodies(tuple(bindings), schema)


def path_pattern(template: str) -> str:
    """A regular expression for a `google.api.http` path template; a variable is one segment unless it says more."""
    plain = re.sub(r"\{[^=}]+\}", "*", template)
    plain = re.sub(r"\{[^=}]+=([^}]+)\}", r"\1", plain)
    parts = re.split(r"(\*\*|\*)", plain)
    known = {"**": ".+", "*": "[^/:]+"}
    return "".join(known.get(part) or re.escape(part) for part in parts)


def _bindings(files: FileDescriptorSet, messages: Mapping[str, DescriptorProto]) -> Iterator[Binding]:
    for file in files.file:
        for service in file.service:
            for method in service.method:
                rule = method.options.Extensions[annotations_pb2.http]
                for one in (rule, *rule.additional_bindings):
                    if one.body:
                        message = _body_type(one, method.input_type.lstrip("."), messages)
                        yield _binding(one, message, file.package.split(".")[1])


def _binding(rule: HttpRule, message: str, owner: str) -> Binding:
    verb = rule.WhichOneof("pattern") or ""
    if verb not in VERBS:
        raise EdgeError(f"the HTTP rule with body {rule.body!r} of {message} is a {verb}, which has no body")
    template = getattr(rule, verb)
    return Binding(verb.upper(), path_pattern(template), message, owner, has_verb=":" in template.rpartition("/")[2])


def _body_type(rule: HttpRule, request: str, messages: Mapping[str, DescriptorProto]) -> str:
    if rule.body == "*":
        return request
    for field in messages[request].field:
        if field.name == rule.body and field.type == FieldDescriptorProto.TYPE_MESSAGE:
            return field.type_name.lstrip(".")
    raise EdgeError(f"the HTTP rule of {request} has the body {rule.body!r}, which is no message field of it")


def _messages(scope: str, messages: Iterable[DescriptorProto]) -> Iterator[tuple[str, DescriptorProto]]:
    for message in messages:
        name = f"{scope}.{message.name}"
        yield name, message
        yield from _messages(name, message.nested_type)


def _collect(name: str, messages: Mapping[str, DescriptorProto], schema: dict[str, dict[str, str]]) -> None:
    if name in schema or name not in messages:
        return
    fields = schema.setdefault(name, {})
    for field in messages[name].field:
        kind = _type_of(field, messages)
        fields[field.name] = fields[field.json_name or _camel(field.name)] = kind
        _collect(kind.removeprefix(_MAP), messages, schema)


def _type_of(field: FieldDescriptorProto, messages: Mapping[str, DescriptorProto]) -> str:
    name = field.type_name.lstrip(".")
    if field.type != FieldDescriptorProto.TYPE_MESSAGE or name.startswith("google.protobuf."):
        return ANY_JSON
    if messages[name].options.map_entry:
        value = _type_of(messages[name].field[1], messages)
        return f"{_MAP}{value}" if value else ANY_JSON
    return name


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def _lua(schema: Mapping[str, Mapping[str, str]]) -> str:
    def table(fields: Mapping[str, str]) -> str:
        return "{" + ",".join(f"[{json.dumps(key)}]={json.dumps(value)}" for key, value in fields.items()) + "}"

    return "{\n" + ",\n".join(f"[{json.dumps(name)}]={table(fields)}" for name, fields in schema.items()) + "\n}"
