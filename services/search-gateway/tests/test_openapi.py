"""The OpenAPI document: every call has examples, and they are true."""

from __future__ import annotations

import json

import jsonschema
import pytest
from sightline_search_gateway.http.problems import PROBLEM_TYPES
from sightline_search_gateway.write_openapi import DOCUMENT


def operations():
    """Return every call."""
    found = []
    for path, calls in json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"].items():
        for method, operation in calls.items():
            found.append(pytest.param(operation, id=f"{method} {path}"))
    return found


def validate(value, schema):
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    checked = jsonschema.Draft202012Validator(
        {**schema, "components": document["components"]}, format_checker=jsonschema.FormatChecker()
    )
    checked.validate(value)


@pytest.mark.parametrize("operation", operations())
def test_every_call_has_examples_that_are_true(operation):
    for parameter in operation["parameters"]:
        if parameter["name"] != "cursor":
            validate(parameter["example"], parameter["schema"])
    if "requestBody" in operation:
        # A search takes a body of two types, which some generators of clients need to have optional.
        assert operation["requestBody"]["required"] is (operation["operationId"] != "search")
        for content in operation["requestBody"]["content"].values():
            validate(content["example"], content["schema"])
    for response in operation["responses"].values():
        for kind, content in response.get("content", {}).items():
            if content["schema"].get("format") != "binary":
                examples = [content["example"]] if "example" in content else content["examples"]
                assert examples, kind
                if "example" in content:
                    validate(content["example"], content["schema"])


def test_the_examples_of_problems_are_true():
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    assert document["components"]["examples"].keys() == PROBLEM_TYPES.keys()
    for example in document["components"]["examples"].values():
        validate(example["value"], {"$ref": "#/components/schemas/Problem"})
