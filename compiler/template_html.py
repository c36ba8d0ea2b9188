"""Where in HTML a value may be inserted, so that escaping it is enough.

Escaping keeps a value inside the text or the quoted attribute value where it stands. It
cannot make safe what a browser would run or load: values in scripts and styles, in
`onclick`, as a tag's or an attribute's name, without quotes, or as the start of a link.

The constant texts are read letter by letter as a browser reads them. After an
`{% if %}` the reader may be in several states at once, one for each branch.
"""

import re
from typing import NamedTuple

from compiler import template_diagnostics as mistakes_of
from compiler.source import Source
from compiler.template_tags import Mistakes, Tag, Text

#: Ways in which branches may leave tags and quotes open.
STATES_MAX = 8
#: Characters of a link that tell where it leads.
_LINK_START_MAX = 256

_RAW_TAGS = ("script", "style", "iframe", "noscript", "xmp", "noembed", "noframes")
_LINKS = (
    *("href", "src", "action", "formaction", "xlink:href", "data", "poster"),
    *("background", "cite", "ping", "srcset", "manifest", "codebase"),
)
_CODE = ("style", "srcdoc")
#: Scheme and host are complete, or the link stays on the page's own host.
_LINK_START = re.compile(
    r"(?:https?:)?//[\w.:-]+[/?#]|/[^/\\]|[#?]|mailto:|tel:|[\w-]+[/?#]|\0[^/?#]*[/?#]",
    re.IGNORECASE,
)
#: What is seen of a link that began with one of its own fields, and of a safe one.
_OWN_START, _SAFE_START = "\0", "#"
#: Records whose texts are written by those who write the offer.
_OWN_RECORDS = ("content", "offer", "space")


class _State(NamedTuple):
    """Where a reader of HTML is."""

    #: text, open (behind <), comment, raw, tag-name, tag, name, equals, bare, ' or "
    kind: str = "text"
    tag: str = ""
    attribute: str = ""
    #: Of a link its start, of a raw tag or a comment its last characters.
    seen: str = ""


def check_html(source: Source, items: list[Text | Tag], mistakes: Mistakes) -> None:
    """Report every value that stands where escaping is not enough."""
    if not any(isinstance(item, Tag) for item in items):
        return
    states = {_State()}
    # For each open if: the states before it, and those that its branches ended in.
    opened: list[tuple[set[_State], set[_State], bool]] = []
    for item in items:
        if isinstance(item, Text):
            for letter in item.text:
                states = {_after(state, letter) for state in states}
        elif item.inserts:
            record = item.tokens[0].text if item.tokens else ""
            places = sorted({_forbidden(state, record) for state in states} - {""})
            if places:
                mistakes.add(mistakes_of.html_place(source, item.span, places[0]))
            states = {_after_value(state) for state in states}
        else:
            states = _branched(item, states, opened)
        if len(states) > STATES_MAX:
            mistakes.add(mistakes_of.html_branches(source, item.span))
            return


def _branched(
    tag: Tag, states: set[_State], opened: list[tuple[set[_State], set[_State], bool]]
) -> set[_State]:
    word = tag.tokens[0].text if tag.tokens else ""
    if word == "if":
        opened.append((states, set(), False))
        return states
    if not opened:
        return states
    before, ended, has_else = opened[-1]
    ended |= states
    if word in ("elif", "else"):
        opened[-1] = (before, ended, word == "else")
        return before
    if word == "endif":
        opened.pop()
        return ended if has_else else ended | before
    return states


def _forbidden(state: _State, record: str) -> str:
    """What the place is where no value may stand; "" where one may."""
    match state.kind:
        case "text" | "comment":
            return ""
        case "raw":
            return f"<{state.tag}>"
        case "open" | "tag-name" | "tag" | "name":
            return "the name of a tag or attribute"
        case "equals" | "bare":
            return "a value without quotes"
        case _:
            name = state.attribute
    if name.startswith("on") or name in _CODE:
        return f"the attribute {name}, which a browser obeys"
    if name not in _LINKS or _LINK_START.match(state.seen):
        return ""
    if state.seen in ("", _OWN_START) and record in _OWN_RECORDS:
        return ""
    return f"the start of {name}, which decides where it leads"


def _after_value(state: _State) -> _State:
    if state.kind in ("'", '"') and state.attribute in _LINKS and not state.seen:
        # It may have stopped within the host: only a slash ends that.
        return state._replace(seen=_OWN_START)
    return state


def _after(state: _State, letter: str) -> _State:
    """The state behind one more letter of constant text."""
    match state.kind:
        case "text":
            return _State("open") if letter == "<" else state
        case "open":
            if letter.isalpha() or letter == "/":
                return _State("tag-name", letter.lower())
            if letter in "!?":
                return _State("comment", letter)
            return _State("open" if letter == "<" else "text")
        case "comment":
            return _in_comment(state, letter)
        case "raw":
            seen = (state.seen + letter.lower())[-len(state.tag) - 2 :]
            is_end = seen == f"</{state.tag}"
            return _State("tag-name", seen[1:]) if is_end else state._replace(seen=seen)
        case "tag-name" if not letter.isspace() and letter not in ">/":
            return state._replace(tag=(state.tag + letter.lower())[:16])
        case "tag-name" | "tag" | "name" | "equals":
            return _in_tag(state, letter)
        case "bare":
            if letter == ">":
                return _closed(state)
            return _State("tag", state.tag) if letter.isspace() else state
        case quote:
            if letter == quote:
                return _State("tag", state.tag)
            return _in_quotes(state, letter)


def _in_comment(state: _State, letter: str) -> _State:
    seen = (state.seen + letter)[-4:]
    # `<!doctype>` and `<?xml>` end at the first bracket, `<!--` at `-->`.
    if state.tag != "!--":
        starts = f"{state.tag}{letter}"
        if starts in ("!-", "!--"):
            # `<!-->` ends itself.
            return _State("comment", starts, seen="--")
        return _State() if letter == ">" else state._replace(tag="!x")
    is_end = seen.endswith(("-->", "--!>"))
    return _State() if is_end else state._replace(seen=seen)


def _in_tag(state: _State, letter: str) -> _State:
    if letter == ">":
        return _closed(state)
    if state.kind == "equals" and letter in "'\"":
        return _State(letter, state.tag, state.attribute)
    if letter.isspace():
        return state if state.kind == "equals" else state._replace(kind="tag")
    if letter == "=" and state.attribute:
        return state._replace(kind="equals")
    if state.kind == "equals":
        return state._replace(kind="bare")
    if letter == "/":
        return _State("tag", state.tag)
    started = state.attribute if state.kind == "name" else ""
    return _State("name", state.tag, (started + letter.lower())[:32])


def _in_quotes(state: _State, letter: str) -> _State:
    # Browsers skip white space and control characters there.
    if state.attribute not in _LINKS or letter <= " ":
        return state
    if _LINK_START.match(state.seen) or len(state.seen) >= _LINK_START_MAX:
        return state
    seen = state.seen + letter
    return state._replace(seen=_SAFE_START if _LINK_START.match(seen) else seen)


def _closed(state: _State) -> _State:
    return _State("raw", state.tag) if state.tag in _RAW_TAGS else _State()
