"""CEL's own conformance cases, as far as rules have the language they test.

Each case runs through the generated code and through the interpreter. A case that is
not run uses something that rules do not have: cel_refused.txt names each with the
reason, so that no case leaves the language unnoticed.

--update-golden writes that list anew; read the difference before keeping it.
"""

import json
import math
import re
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
from compiler.runtime.values import MISSING
from compiler.schema import Schema
from compiler.source import Refused, Source

CASES = Path(__file__).parents[2] / "shared" / "data" / "cel-conformance"
SCHEMA = Schema.of(())
REFUSED = Path(__file__).parent / "cel_refused.txt"
#: File -> cases run.
COUNTS = {
    "basic": 24,
    "fields": 0,
    "fp_math": 29,
    "integer_math": 41,
    "lists": 17,
    "logic": 21,
    "macros": 22,
    "parse": 90,
    "plumbing": 2,
    "string": 45,
}

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"CEL's conformance cases are not at {CASES}"
)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_conformance_cases(name: str) -> None:
    """Every case that rules can express has the answer that CEL says."""
    run = 0
    for _, case in cases(name):
        question = asked(case)
        if isinstance(question, Source):
            run += 1
            for actual in answers(question):
                assert wanted(case) == actual, (name, case.name, question.text)

    assert COUNTS[name] == run


def test_refused_cases(request: pytest.FixtureRequest) -> None:
    """Each case that rules cannot express is listed, and why."""
    refused = [
        f"{name}/{section}/{case.name}: {question}\n"
        for name in sorted(COUNTS)
        for section, case in cases(name)
        if isinstance(question := asked(case), str)
    ]
    if request.config.getoption("--update-golden"):
        REFUSED.write_text("".join(refused))

    assert REFUSED.read_text().splitlines(keepends=True) == refused


def test_every_file_of_cases_is_counted() -> None:
    """A file that is added to the cases is noticed."""
    assert sorted(COUNTS) == sorted(path.stem for path in CASES.glob("*.textproto"))


def asked(case: Any) -> Source | str:
    """The rule that asks what a case asks, or why rules cannot ask it."""
    if case.bindings or case.type_env:
        return "declares variables of its own; rules have attributes"
    if case.disable_macros:
        return "switches macros off"
    result = case.value if case.HasField("value") else None
    if case.expr == "":
        return "has no expression"
    if result is not None and not literal(result):
        return f"expects {_outside(result)}"
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
    except Refused as refused:
        return _reason(refused)
    return source


def _outside(value: Any) -> str:
    """What a value is that rules cannot write."""
    fields = value.ListFields()
    if not fields:
        return "a message"
    field, held = fields[0]
    if field.name == "list_value":
        return f"a list of {next(_outside(v) for v in held.values if not literal(v))}"
    return {
        "uint64_value": "an unsigned int",
        "bytes_value": "bytes",
        "map_value": "a map",
        "type_value": "a type",
    }[field.name]


def _reason(refused: Refused) -> str:
    """What is wrong, without what to write instead and without the case's words."""
    message = refused.diagnostics[0].message.partition(";")[0]
    return re.sub(r"'[^']*'|\"[^\"]*\"|(?<=function )\w+\(\)", "...", message)


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
            yield repr(evaluate((), (0, MISSING, MISSING)))
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


def cases(name: str) -> Iterator[tuple[str, Any]]:
    """Each case, and the name of its section."""
    text = (CASES / f"{name}.textproto").read_text()
    # Messages inside values, and unknowns, are not described: such cases have a value
    # without a field.
    with warnings.catch_warnings():
        # protobuf reads the cases' octal escapes in a way that Python deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        file = text_format.Parse(text, file_class()(), allow_unknown_field=True)
    for section in file.section:
        for case in section.test:
            yield section.name, case


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
            "uint64_value": field.TYPE_UINT64,
            "bytes_value": field.TYPE_BYTES,
            "map_value": "Anything",
            "type_value": string,
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
