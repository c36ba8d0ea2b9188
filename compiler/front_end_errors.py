"""What the front end says is wrong, as diagnostics in our own words.

It reports in text alone: `ERROR: <input>:line:column: reason`, then the line and a
caret. Reasons that are not known here are passed on as they are.
"""

import re
from typing import Final

from compiler import diagnostics
from compiler.calls import FUNCTION_NAMES
from compiler.positions import Positions
from compiler.runtime.history import PROPOSITION, PROPOSITION_FIELDS
from compiler.schema import (
    HISTORY_NAME,
    MESSAGE_OF,
    MESSAGE_PACKAGE,
    PROPOSITION_MESSAGE,
    SEGMENT_RECORD,
    Schema,
)
from compiler.source import Diagnostic

#: Errors of one rule that are translated: looking for the name that was meant takes
#: up to 10 ms each where 4,000 attributes are declared.
ERRORS_MAX: Final = 10

# The front end puts " | " before each line of the rule that it shows, so that no text
# of a rule can pass for an error.
_ERROR: Final = re.compile(r"^ERROR: <input>:(-?\d+):(-?\d+): (.*)$", re.MULTILINE)
_UNDEFINED_FIELD: Final = re.compile(
    r"undefined field '(.*)' not found in struct '(.*)'"
)
_UNDECLARED: Final = re.compile(r"undeclared reference to '(.*)' \(in container ''\)")
_NO_OVERLOAD: Final = re.compile(
    r"found no matching overload for '(.*?)' applied to '\((.*)\)'"
)
_NO_SELECT: Final = re.compile(
    r"expression of type '(.*)' cannot be the operand of a select operation"
)
_NO_RANGE: Final = re.compile(
    r"expression of type '(.*)' cannot be the range of a comprehension"
)
_NO_TOKEN: Final = re.compile(r"token recognition error at: '(.*)'")
_NO_INPUT: Final = re.compile(
    r"(?:mismatched input|extraneous input|no viable alternative at input) '(.*?)'"
    r"(?: expecting .*)?$"
)
_TOO_DEEP: Final = re.compile(r"recursion (limit|depth)")
_WRAPPER: Final = re.compile(r"wrapper\((\w+)\)")
_OPERATORS: Final = {"_?_:_": "? :", "_[_]": "[ ]", "@in": "in"}


def translated(text: str, positions: Positions, schema: Schema) -> list[Diagnostic]:
    """One diagnostic for each error in the front end's message; at least one."""
    source = positions.source
    if _TOO_DEEP.search(text):
        return [diagnostics.too_deep(source, source.whole())]
    found: dict[Diagnostic, None] = {}
    for line, column, reason in _ERROR.findall(text.removeprefix("INVALID_ARGUMENT: ")):
        # One mistake makes others: whatever uses the value in error.
        follows = "*error*" in reason or "parsetree" in reason
        if not follows and len(found) < ERRORS_MAX:
            offset = positions.offset_of(int(line), int(column))
            reason = reason.removesuffix(" [INVALID_ARGUMENT]")
            found[_diagnostic(reason, positions, offset, schema)] = None
    return list(found) or [diagnostics.front_end_error(source, source.whole(), text)]


def _diagnostic(
    reason: str, positions: Positions, offset: int, schema: Schema
) -> Diagnostic:
    source, at = positions.source, positions.named_at(offset)
    if match := _UNDEFINED_FIELD.search(reason):
        name, message = match.groups()
        record = message.rpartition(".")[2].lower()
        if record == PROPOSITION:
            fields = [field for field, _ in PROPOSITION_FIELDS]
            return diagnostics.unknown_field(source, at, name, fields)
        known = schema.names().get(record, [])
        if record == SEGMENT_RECORD:
            return diagnostics.unknown_segment(source, at, name, known)
        return diagnostics.unknown_attribute(source, at, record, name, known)
    if match := _UNDECLARED.search(reason):
        return _undeclared(match[1], positions, offset, schema)
    if match := _NO_OVERLOAD.search(reason):
        function, types = match.groups()
        what = f"{function}()" if function.isalpha() else function.strip("_")
        what = _OPERATORS.get(function, what)
        return diagnostics.wrong_operands(source, at, what, _our_types(types))
    if match := _NO_SELECT.search(reason):
        return diagnostics.no_field_here(source, at, _our_types(match[1]))
    if match := _NO_RANGE.search(reason):
        return diagnostics.not_a_list(source, at, _our_types(match[1]))
    if "has() argument" in reason:
        return diagnostics.has_needs_attribute(source, at)
    if reason == "invalid int literal":
        return diagnostics.int_out_of_range(source, at)
    if reason.startswith("unsupported syntax"):
        what = reason.removeprefix("unsupported syntax ").strip("'")
        instead = "write has(contact.<name>) to ask whether it is there"
        return diagnostics.unsupported(source, at, what, instead)
    if reason.startswith("Syntax error: "):
        return diagnostics.bad_syntax(source, at, _syntax_reason(reason))
    return diagnostics.front_end_error(source, at, reason)


def _undeclared(
    name: str, positions: Positions, offset: int, schema: Schema
) -> Diagnostic:
    source, at = positions.source, positions.named_at(offset)
    if positions.text(positions.token_at(offset)) == "(":
        return diagnostics.unknown_function(source, at, name, FUNCTION_NAMES)
    root = name.partition(".")[0]
    while positions.text(at) != root and at.start > 0:
        at = positions.token_before(at.start)
    for record, names in schema.names().items():
        if root in names:
            return diagnostics.record_left_out(source, at, record, root)
    return diagnostics.unknown_name(source, at, root, (*MESSAGE_OF, HISTORY_NAME))


def _syntax_reason(reason: str) -> str:
    if match := _NO_TOKEN.search(reason):
        text = match[1].strip()
        if text == "=":
            return "= alone means nothing; write == to compare"
        if text[:1] in ("'", '"'):
            return f"the quote of {text} is not closed"
        return f"{text!r} cannot be read here"
    if match := _NO_INPUT.search(reason):
        if match[1] == "<EOF>":
            return "something is missing at the end"
        if match[1] in (".in", ".null", ".true", ".false"):
            return f"{match[1][1:]} has a meaning of its own; write .`{match[1][1:]}`"
        return f"did not expect {match[1]!r} here"
    return reason.removeprefix("Syntax error: ")


def _our_types(types: str) -> str:
    types = _WRAPPER.sub(r"\1", types).replace("null_type", "null")
    types = types.replace("google.protobuf.", "").replace("Timestamp", "timestamp")
    types = types.replace(f"{MESSAGE_PACKAGE}.{PROPOSITION_MESSAGE}", PROPOSITION)
    for record, message in MESSAGE_OF.items():
        types = types.replace(f"{MESSAGE_PACKAGE}.{message}", record)
    return types.replace("Duration", "duration").replace(", ", " and ")
