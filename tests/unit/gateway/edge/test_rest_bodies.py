"""Which JSON body belongs to which path, and which fields it may have."""

import re

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

from gateway.edge.rest import path_pattern, read_rest_bodies
from gateway.edge.settings import EdgeError
from tests.support import sample_api

MESSAGE = FieldDescriptorProto.TYPE_MESSAGE


def contracts(body: str = "*") -> FileDescriptorSet:
    """A request with a nested, a map and a well-known field, posted to two paths."""
    file = FileDescriptorProto(name="x.proto", package="holdfast.sla.v1", syntax="proto3")
    request, inner = file.message_type.add(name="Request"), file.message_type.add(name="Inner")
    entry = request.nested_type.add(name="ByKeyEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=FieldDescriptorProto.TYPE_STRING)
    entry.field.add(name="value", number=2, type=MESSAGE, type_name=".holdfast.sla.v1.Inner")
    request.field.add(name="one_inner", number=1, type=MESSAGE, type_name=".holdfast.sla.v1.Inner")
    request.field.add(name="by_key", number=2, type=MESSAGE, type_name=".holdfast.sla.v1.Request.ByKeyEntry")
    request.field.add(name="at", number=3, type=MESSAGE, type_name=".google.protobuf.Timestamp")
    inner.field.add(name="again", number=1, type=MESSAGE, type_name=".holdfast.sla.v1.Request")
    method = file.service.add(name="S").method.add(name="M", input_type=".holdfast.sla.v1.Request")
    rule = method.options.Extensions[annotations_pb2.http]
    rule.post, rule.body = "/v1/things/{id}", body
    rule.additional_bindings.add(post="/v1/things/{id}:do", body=body)
    return FileDescriptorSet(file=[file])


@pytest.mark.parametrize(
    ("template", "fits", "others"),
    [
        ("/v1/a", "/v1/a", ["/v1/a/b", "/v1/ab"]),
        ("/v1/a/{b.c}", "/v1/a/x-1", ["/v1/a/", "/v1/a/x/y", "/v1/a/x:do"]),
        ("/v1/a/{b}:do", "/v1/a/x:do", ["/v1/a/x"]),
        ("/v1/{n=a/*/b/*}", "/v1/a/1/b/2", ["/v1/a/1"]),
        ("/v1/{n=a/**}", "/v1/a/1/b/2", ["/v1/b/1"]),
    ],
)
def test_a_path_template_fits_what_the_transcoder_fits(template: str, fits: str, others: list[str]) -> None:
    pattern = path_pattern(template)
    assert re.fullmatch(pattern, fits)
    assert not [other for other in others if re.fullmatch(pattern, other)]


def test_only_methods_with_a_body_are_bound() -> None:
    found = read_rest_bodies(sample_api.descriptor_set())
    assert [(one.method, one.pattern) for one in found.bindings if one.owner == "sla"] == [("POST", "/v1/sla")]


def test_paths_with_a_verb_come_first() -> None:
    assert [one.pattern for one in read_rest_bodies(contracts()).bindings] == [
        "/v1/things/[^/:]+:do",
        "/v1/things/[^/:]+",
    ]


def test_fields_are_known_by_both_names_and_lead_to_their_messages() -> None:
    schema = read_rest_bodies(contracts()).schema
    assert schema["holdfast.sla.v1.Request"] == {
        "one_inner": "holdfast.sla.v1.Inner",
        "oneInner": "holdfast.sla.v1.Inner",
        "by_key": "map:holdfast.sla.v1.Inner",
        "byKey": "map:holdfast.sla.v1.Inner",
        "at": "",
    }
    assert schema["holdfast.sla.v1.Inner"] == {"again": "holdfast.sla.v1.Request"}


def test_a_body_may_be_one_field_of_the_request() -> None:
    assert {one.message for one in read_rest_bodies(contracts("one_inner")).bindings} == {"holdfast.sla.v1.Inner"}


def test_a_body_that_is_no_message_is_refused() -> None:
    with pytest.raises(EdgeError, match="has the body 'absent', which is no message field"):
        read_rest_bodies(contracts("absent"))


def test_the_guard_is_a_program_without_a_hole() -> None:
    program = read_rest_bodies(contracts()).guard()
    assert '["oneInner"]="holdfast.sla.v1.Inner"' in program
    assert "SCHEMA]]" not in program
