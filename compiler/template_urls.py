"""What a URL may hold, and where it may hold a value: never in its host.

Values are percent-encoded, all of them: a field of the content that is itself a URL
becomes one part of this one. Were it used as it is, what a contact's profile says could
decide on which host somebody lands.
"""

import re

from compiler import template_diagnostics as mistakes_of
from compiler.runtime.rendering import leaves_path
from compiler.source import Source, Span
from compiler.template_tags import Mistakes, Tag, Text

#: A host that is complete: what follows cannot become part of it.
_URL_START = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
    r"(?::[0-9]{1,5})?(?=[/?#]|\Z)",
    re.IGNORECASE,
)
_NOT_IN_URL = re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")


def check_url(source: Source, items: list[Text | Tag], mistakes: Mistakes) -> None:
    """Scheme and host are constant, and every constant character may stand there."""
    start, span, is_whole = _constant_start(items)
    match = _URL_START.match(start)
    if match is None or (match.end() == len(start) and not is_whole):
        mistakes.add(mistakes_of.url_start(source, span))
    for item in items:
        if not isinstance(item, Text):
            continue
        found = _NOT_IN_URL.search(item.text)
        if found:
            begin = item.span.start + found.start()
            at = Span(begin, begin + 1)
            mistakes.add(mistakes_of.url_character(source, at, found[0]))
        # The constant texts between tags, each as if it ended a path.
        if leaves_path(item.text) and (is_whole or item.text[-1:] != "."):
            mistakes.add(mistakes_of.url_leaves_path(source, item.span))


def _constant_start(items: list[Text | Tag]) -> tuple[str, Span, bool]:
    """What stands before the first tag, where, and whether that is all."""
    texts: list[Text] = []
    for item in items:
        if isinstance(item, Tag):
            break
        texts.append(item)
    stop = texts[-1].span.stop if texts else 1
    return "".join(t.text for t in texts), Span(0, stop), len(texts) == len(items)
