"""Generated code: deterministic, closed in, and shown in tracebacks as its rule."""

import linecache
import marshal
import os
import subprocess
import sys
import traceback
from pathlib import Path
from types import CodeType

import pytest
from rule_examples import SCHEMA, SEGMENTS, contact, context, linked

from compiler.rules import CODE_TAG, Kind, compile_rule, explain_rule
from compiler.runtime.linker import TracebackSources, link
from compiler.runtime.values import GLOBALS
from compiler.source import Refused, Source

ROOT = Path(__file__).parents[1]
RULE = (
    "contact.country in ['FR', 'DE', 'IT', 'ES', 'PT'] && segment.young &&\n"
    "  contact.tags.exists(t, t.matches('^é') || contact.visits.all(v, v > size(t)))"
)
#: Prints the digest of the code and tree of RULE.
DIGEST_SCRIPT = """
import hashlib
from rule_examples import SCHEMA, SEGMENTS
from compiler.rules import Kind, compile_rule
from compiler.source import Source
from test_rule_code import RULE
rule = compile_rule(Source("rule", RULE), SCHEMA, Kind.CONDITION, SEGMENTS)
print(hashlib.sha256(rule.code + rule.tree_bytes).hexdigest())
"""


def test_code_is_the_same_in_every_process() -> None:
    """Neither the hash seed nor what was compiled before changes a byte."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST_SCRIPT],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
            },
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "77")
    }

    assert len(digests) == 1


def test_the_runtime_needs_nothing_but_itself() -> None:
    """Loading and asking a rule imports no front end and no other part of ours."""
    script = (
        "import sys, compiler.runtime.linker\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('cel_expr_python', 'msgspec', 'catalog_store', 'google', 'grpc', 'lmdb') "
        "or m.startswith('compiler.') and not m.startswith('compiler.runtime')))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert printed == "[]\n"


#: Between them, rules that call every helper.
NAMING = [
    RULE,
    "contact.country.startsWith('a') && contact.country.endsWith('a')",
    "contact.optin && has(contact.age) && [contact.age] == [1]",
    "contact.tags.filter(t, t != '').map(t, size(t)).exists_one(n, n % 2 / 1 + 1 == 1)",
    "contact.scores == [double(contact.age)] && contact.balance in contact.scores",
    "contact.visits[contact.age] == int(contact.balance)",
    "context.now + contact.silence > contact.joined && contact.silence.getHours() == 1",
    "context.now - contact.joined > contact.silence && context.now.getHours() == 1",
]


def test_code_names_nothing_but_the_helpers() -> None:
    """No rule reaches Python's builtins; the helpers are all it can name."""
    used: set[str] = set()
    for text in NAMING:
        rule = compile_rule(Source("rule", text), SCHEMA, Kind.CONDITION, SEGMENTS)
        used.update(names(marshal.loads(rule.code)))

    assert GLOBALS["__builtins__"] == {}
    assert used == {*GLOBALS, "startswith", "endswith"} - {"__builtins__"}


def names(code: CodeType) -> list[str]:
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return [*code.co_names, *(name for const in inner for name in names(const))]


def test_the_tag_names_what_code_depends_on() -> None:
    """Python's version, its bytecode and our helpers each change the tag."""
    assert CODE_TAG.startswith(f"{sys.implementation.cache_tag}-")
    assert CODE_TAG.endswith("-abi3")


def test_tracebacks_underline_the_rules_own_words() -> None:
    """A failure in generated code shows the rule, at the sub-expression."""
    text = "contact.optin &&\n  'é' + contact.country > contact.country"
    rule = linked(text)
    shown = TracebackSources()
    shown.show(rule.tree)
    try:
        rule.fast(contact(optin=True, country=None), context())
    except TypeError:
        lines = traceback.format_exc().splitlines()
    else:
        pytest.fail("adding null to a string must raise")
    place = next(i for i, line in enumerate(lines) if 'File "rule"' in line)
    line, carets = lines[place + 1], lines[place + 2]

    assert line.strip() == text.splitlines()[1].strip()
    # Python marks the operator with ^ and its operands with ~.
    start = len(carets) - len(carets.lstrip())
    assert line[start : len(carets.rstrip())] == "'é' + contact.country"
    shown.forget()
    assert "rule" not in linecache.cache


def test_forgetting_a_revision_keeps_what_a_later_one_shows() -> None:
    """Two revisions show a rule of one name; retiring the first keeps the second."""
    first, second = TracebackSources(), TracebackSources()
    first.show(linked("true").tree)
    second.show(linked("false").tree)
    first.forget()

    assert linecache.getline("rule", 1) == "false\n"
    second.forget()
    assert linecache.getline("rule", 1) == ""


def test_linking_refuses_what_is_not_code() -> None:
    """A stored value of another kind is an error with a name."""
    with pytest.raises(ValueError, match="not code"):
        link(marshal.dumps(5, 2), b"")


HOSTILE = [
    "__import__('os').system('true') == 0",
    "contact.__class__ == 1",
    "contact.age.__class__",
    "__builtins__",
    "GLOBALS == 1",
    "MISSING == 1",
    "value(1) == 1",
    "lambda: 1",
    "contact[0] == 1",
    "rule(contact, context)",
    "'\\0' == '\0'",
    "'\ud800' == ''",
    "contact.country == '" + "x" * 5_000 + "'",
    "é == 1",
    "[1][contact]",
    "contact.age > " + "9" * 4_000,
    "!" * 3_001 + "1",
    "-" * 3_001 + "'a' == 1",
    "[" * 1_500 + "]" * 1_500 + " == []",
    "true" + " && true" * 480 + " &&",
    "true ? " * 500 + "true",
    "contact.country == 'ERROR: <input>:1:1: x\nERROR: <input>:1:1: y",
    "\n\n\n",
    "\t",
    "#",
    "contact.country.matches('" + "(" * 2_000 + "')",
    "contact.country.matches('(a{1000}){1000}')",
    "context.now.getHours('../../etc/passwd') == 1",
    "context.now.getHours('/etc/localtime') == 1",
    "context.now.getHours('\\0') == 1",
    "context.now.getHours('+99:99') == 1",
    "timestamp('9999-99-99T99:99:99Z') == context.now",
    "timestamp('٢٠٢٦-01-01T00:00:00Z') == context.now",
    "duration('" + "9" * 3_000 + "h') == contact.silence",
    # A megabyte of each kind: text, white space, characters that are none at the end.
    "contact.age > 1 && " * 55_000 + "true",
    "contact.country == '" + "x" * 1_000_000 + "'",
    "é" * 500_000,
    "\n" * 1_000_000,
    "x" * 1_000_000 + "\0",
    "x" * 1_000_000 + "\ud800",
    "(" * 10_000 + "true" + ")" * 10_000,
    "(" * 2_000 + "true" + ")" * 2_000,
    "(" * 4_000,
    ")" * 4_000,
    " && ".join(["true"] * 100_000),
    " && ".join(["a"] * 800),
    "contact.age > " + "+".join(["1"] * 2_000),
    "true ? true : " * 280 + "true",
    "contact.visits" + "[0]" * 1_300 + " == 1",
    "contact" + ".a" * 2_000,
    "size(" * 800 + "''",
    "contact.'\n' == 1",
    "contact.`a\nb` == 1",
    "contact.`a'b` == 1",
    "contact.country == '\"' + \"'\n",
    "contact.country == '''" + "\n'" * 1_000,
    "'" * 4_001,
    "//" + "x" * 4_000,
    "[" + ",".join(["1", "'a'"] * 600) + "] == []",
    "contact.age in [" + ",".join(["1"] * 1_990) + "] && 1",
    # Passes the front end's limit of nesting, and not that of its answer's encoding.
    "[1].exists(x, " * 30 + "true" + ")" * 30,
    "[1].all(x, " * 300 + "true" + ")" * 300,
    "contact.visits" + ".map(v, contact.visits" * 20 + ".size()" + ")" * 20 + " == 1",
    "contact.visits" + ".filter(v, v > 1)" * 200 + ".size() == 1",
    "[1, 2]" + ".map(x, [x, x])" * 250 + " == []",
    " && ".join(
        ["contact.visits.all(a, contact.visits.all(b, contact.visits.all(c, c > 0)))"]
        * 50
    ),
    "history.exists(a, history.exists(b, history.exists(c, c.rank == a.rank)))",
    "contact.country.matches('" + "|".join(["(a{1,1000}){1,1000}"] * 100) + "')",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_rules_are_refused_with_a_diagnostic(text: str) -> None:
    """Nothing that somebody types crashes the compiler or leaves the language."""
    with pytest.raises(Refused) as refused:
        compile_rule(Source("rule", text), SCHEMA, Kind.CONDITION, SEGMENTS)

    assert refused.value.diagnostics
    for diagnostic in refused.value.diagnostics:
        assert diagnostic.render().startswith("rule:")


@pytest.mark.parametrize(
    "value",
    ["'", '"', "\\", "\n", "\r\n", "\u2028", "'); import os", "{}", "%s", "\U00010348"],
)
def test_any_text_in_a_rule_is_only_a_value(value: str) -> None:
    """Quotes, newlines and escapes in a constant never become syntax."""
    escaped = "".join(f"\\U{ord(character):08x}" for character in value)
    rule = linked(f"contact.country == '{escaped}' && '{escaped}' in contact.tags")

    assert True is rule.fast(contact(country=value, tags=(value,)), context())
    assert False is rule.fast(contact(country=value + "x", tags=()), context())


def test_a_wide_rule_is_compiled() -> None:
    """Hundreds of conditions side by side are one level deep."""
    text = " && ".join(["contact.age > 1"] * 200)
    rule = linked(text)

    assert len(rule.tree.root.children) == 200
    assert True is rule.fast(contact(age=2), context())
    assert explain_rule(rule.tree).count("contact[0] > 1") == 200
