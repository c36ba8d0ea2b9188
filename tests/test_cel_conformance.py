"""CEL's own conformance cases, as far as rules have the language they test.

Each case runs through the generated code and through the interpreter. A case that is
refused uses something that rules do not have; how many there are is part of the facts,
so that no case leaves the language unnoticed.
"""

import json
import math
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
)

from compiler.rules import Kind, compile_rule
from compiler.runtime.interpreter import EvaluationError
from compiler.runtime.linker import link
from compiler.schema import Schema
from compiler.source import Refused, Source

CASES = Path(__file__).parents[2] / "shared" / "data" / "cel-conformance"
SCHEMA = Schema.of(())
#: File -> cases run, cases outside the language.
COUNTS = {
    "basic": (24, 19),
    "fields": (0, 60),
    "fp_math": (29, 1),
    "integer_math": (41, 23),
    "lists": (17, 22),
    "logic": (21, 9),
    "macros": (22, 22),
    "parse": (90, 129),
    "plumbing": (2, 3),
    "string": (45, 6),
}

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"CEL's conformance cases are not at {CASES}"
)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_conformance_cases(name: str) -> None:
    """Every case that rules can express has the answer that CEL says."""
    run, outside = 0, 0
    for case in cases(name):
        question = asked(case)
        if question is None:
            outside += 1
            continue
        run += 1
        for actual in answers(question):
            assert wanted(case) == actual, (name, case.name, question.text)

    assert COUNTS[name] == (run, outside)


def test_every_file_of_cases_is_counted() -> None:
    """A file that is added to the cases is noticed."""
    assert sorted(COUNTS) == sorted(path.stem for path in CASES.glob("*.textproto"))


def asked(case: Any) -> Source | None:
    """The rule that asks what a case asks, or None if rules cannot ask it."""
    if case.bindings or case.type_env or case.disable_macros:
        return None
    result = case.value if case.HasField("value") else None
    if case.expr == "" or (result is not None and not literal(result)):
        return None
    # A case without a result expects true.
    text = case.expr
    if case.HasField("eval_error"):
        text = f"size([{case.expr}\n]) == 1"
    elif result is not None and not result.HasField("bool_value"):
        text = f"({case.expr}\n) == {literal(result)}"
    if result is not None and math.isnan(result.double_value):
        text = f"({case.expr}\n) != ({case.expr}\n)"
    source = Source(case.name, text)
    try:
        compile_rule(source, SCHEMA, Kind.CONDITION)
    except Refused:
        return None
    return source


def wanted(case: Any) -> str:
    if case.HasField("eval_error"):
        return "error"
    if case.HasField("value") and case.value.HasField("bool_value"):
        return repr(case.value.bool_value)
    return "True"


def answers(source: Source) -> Iterator[str]:
    """The answer of the linked rule, then that of the interpreter alone."""
    compiled = compile_rule(source, SCHEMA, Kind.CONDITION)
    rule = link(compiled.code, compiled.tree_bytes)
    for evaluate in (rule.evaluate, rule.evaluate_exactly):
        try:
            yield repr(evaluate((), (0,)))
        except EvaluationError:
            yield "error"


def literal(value: Any) -> str:
    """A value of a case as CEL text; "" for kinds that rules do not have."""
    field, held = value.ListFields()[0] if value.ListFields() else ("", None)
    match field and field.name:
        case "null_value":
            return "null"
        case "bool_value":
            return "true" if held else "false"
        case "int64_value":
            return str(held)
        case "double_value":
            special = {math.inf: "(1.0 / 0.0)", -math.inf: "(-1.0 / 0.0)"}
            shown = repr(held)
            return special.get(held, shown if "." in shown else shown + " * 1.0")
        case "string_value":
            # JSON's escapes are CEL's, except that it writes two for one above FFFF.
            return json.dumps(held, ensure_ascii=False)
        case "list_value":
            items = [literal(item) for item in held.values]
            return f"[{', '.join(items)}]" if all(items) else ""
        case _:
            return ""


def cases(name: str) -> Iterator[Any]:
    text = (CASES / f"{name}.textproto").read_text()
    # Messages inside values, and unknowns, are not described: such cases have a value
    # without a field.
    with warnings.catch_warnings():
        # protobuf reads the cases' octal escapes in a way that Python deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        file = text_format.Parse(text, file_class()(), allow_unknown_field=True)
    for section in file.section:
        yield from section.test


@lru_cache(maxsize=1)
def file_class() -> Any:
    """The message class of a file of cases, described as far as it is read."""
    field = descriptor_pb2.FieldDescriptorProto
    string, boolean = field.TYPE_STRING, field.TYPE_BOOL
    messages: dict[str, dict[str, Any]] = {
        "File": {"name": string, "description": string, "section*": "Section"},
        "Section": {"name": string, "description": string, "test*": "Case"},
        "Case": {
            "name": string,
            "description": string,
            "expr": string,
            "disable_macros": boolean,
            "disable_check": boolean,
            "container": string,
            "type_env*": "Anything",
            "bindings*": "Anything",
            "value": "Value",
            "eval_error": "Anything",
        },
        "Anything": {},
        "Value": {
            "null_value": "Null",
            "bool_value": boolean,
            "int64_value": field.TYPE_INT64,
            "double_value": field.TYPE_DOUBLE,
            "string_value": string,
            "list_value": "ListValue",
        },
        "ListValue": {"values*": "Value"},
    }
    file = descriptor_pb2.FileDescriptorProto(
        name="conformance.proto", package="conformance", syntax="proto2"
    )
    file.enum_type.add(name="Null").value.add(name="NULL_VALUE", number=0)
    for message_name, fields in messages.items():
        message = file.message_type.add(name=message_name)
        for number, (name, kind) in enumerate(fields.items(), start=1):
            added = message.field.add(name=name.rstrip("*"), number=number)
            repeated = name.endswith("*")
            added.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
            if kind == "Null":
                added.type = field.TYPE_ENUM
                added.type_name = ".conformance.Null"
            elif isinstance(kind, str):
                added.type = field.TYPE_MESSAGE
                added.type_name = f".conformance.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName("conformance.File")
    return message_factory.GetMessageClass(found)
