"""Segments: expanded, ordered, and refused when they go in circles."""

import pytest
from rule_examples import NO_ANSWER, SCHEMA, answer

from compiler.rules import Kind, compile_rule
from compiler.runtime.linker import link
from compiler.schema import Schema
from compiler.segments import Segments, compile_segments
from compiler.source import Refused, Source


def compile_all(**texts: str) -> Segments:
    schema = Schema.of(SCHEMA.contact, (), tuple(texts))
    sources = {name: Source(f"segments/{name}", text) for name, text in texts.items()}
    return compile_segments(sources, schema)


def test_a_segment_is_what_it_stands_for() -> None:
    """A rule that uses segments answers as if their texts stood in it."""
    for age, country in [(20, "FR"), (20, "DE"), (40, "FR")]:
        inline = answer(
            "contact.age < 30 && contact.country == 'FR'", age=age, country=country
        )

        assert inline is answer("segment.young_french", age=age, country=country)
    assert answer("segment.young_french", country="FR") == NO_ANSWER


def test_segments_may_be_declared_in_any_order() -> None:
    """A segment can use one that is declared after it."""
    compiled = compile_all(a="segment.b || segment.c", b="segment.c", c="true")

    assert [name for name, _ in compiled["a"].sources] == [
        "segments/a",
        "segments/b",
        "segments/c",
    ]


@pytest.mark.parametrize(
    ("texts", "circle"),
    [
        ({"a": "segment.a"}, "a -> a"),
        ({"a": "1 > 0 && segment.b", "b": "segment.a"}, "a -> b -> a"),
        ({"a": "segment.b", "b": "segment.c", "c": "segment.b"}, "b -> c -> b"),
    ],
)
def test_a_circle_is_refused_where_it_closes(
    texts: dict[str, str], circle: str
) -> None:
    """The diagnostic names the whole circle."""
    with pytest.raises(Refused) as refused:
        compile_all(**texts)

    assert [f"a segment cannot use itself: {circle}; break the circle"] == [
        d.message for d in refused.value.diagnostics
    ]


def test_every_mistake_in_every_segment_is_reported() -> None:
    """One bad segment does not hide another, and its users are not blamed."""
    with pytest.raises(Refused) as refused:
        compile_all(a="contact.agee > 1", b="segment.a", c="contact.age")

    assert [
        (
            d.source.name,
            next(t for t in ("contact.agee", "this is int") if t in d.message),
        )
        for d in refused.value.diagnostics
    ] == [("segments/a", "contact.agee"), ("segments/c", "this is int")]


def test_segments_that_double_at_each_step_are_refused() -> None:
    """Twenty segments that use the one before twice would make a million nodes."""
    texts = {"s0": "contact.age > 1"}
    for number in range(1, 21):
        texts[f"s{number}"] = f"segment.s{number - 1} || segment.s{number - 1}"
    with pytest.raises(Refused, match="more than 10000 operations"):
        compile_all(**texts)


@pytest.mark.parametrize("length", [200, 3_000])
def test_a_long_chain_of_segments_is_refused(length: int) -> None:
    """Depth is bounded before anything recurses through it."""
    texts = {f"s{n}": f"!segment.s{n + 1}" for n in range(length)}
    with pytest.raises(Refused, match="nested too deeply"):
        compile_all(**texts, **{f"s{length}": "true"})


def test_loops_are_counted_through_segments() -> None:
    """Two loops in a segment leave none for its user."""
    inner = "contact.visits.all(a, contact.visits.all(b, a == b))"
    schema = Schema.of(SCHEMA.contact, (), ("inner",))
    segments = compile_segments({"inner": Source("inner", inner)}, schema)
    rule = Source("rule", "contact.visits.all(a, segment.inner)")
    with pytest.raises(Refused, match="inside each other"):
        compile_rule(rule, schema, Kind.CONDITION, segments)


def test_a_segments_variables_are_its_own() -> None:
    """A loop inside a segment does not disturb the loop around it."""
    schema = Schema.of(SCHEMA.contact, (), ("inner",))
    inner = Source("inner", "contact.visits.exists(a, a == 9)")
    segments = compile_segments({"inner": inner}, schema)
    text = "contact.visits.exists(a, segment.inner && a == 1)"
    compiled = compile_rule(Source("rule", text), schema, Kind.CONDITION, segments)

    rule = link(compiled.code, compiled.tree_bytes)
    slots = (*[None] * 6, (1, 9), *[None] * 4)

    assert True is rule.fast(slots, (0,))
    assert True is rule.evaluate_exactly(slots, (0,))
