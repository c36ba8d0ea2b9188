"""The structure of a JSON rendering, from google.protobuf.Struct to plain values."""

import math
from collections.abc import Mapping
from typing import Any

from server.requests import Violation

#: Whole numbers up to it are the same as doubles, which is all that Struct has.
EXACT_MAX = 2**53


def structure(
    fields: Mapping[str, Any], path: str, found: list[Violation]
) -> dict[str, Any]:
    """Names in their order, since those of a Struct have none."""
    return {
        name: _json_value(fields[name], f"{path}.{name}", found)
        for name in sorted(fields)
    }


def _json_value(value: Any, path: str, found: list[Violation]) -> Any:
    match value.WhichOneof("kind"):
        case "struct_value":
            return structure(value.struct_value.fields, path, found)
        case "list_value":
            return [
                _json_value(one, f"{path}[{index}]", found)
                for index, one in enumerate(value.list_value.values)
            ]
        case "number_value":
            return _json_number(value.number_value, path, found)
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _json_number(number: float, path: str, found: list[Violation]) -> int | float:
    if not math.isfinite(number):
        found.append(Violation(path, "is not a finite number; send one"))
        return 0
    return int(number) if number.is_integer() and abs(number) <= EXACT_MAX else number
