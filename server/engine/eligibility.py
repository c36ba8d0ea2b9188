"""What an environment's rules say of the contact of one call."""

from compiler.runtime.history import History
from compiler.runtime.tree import CONTEXT_CHANNEL, CONTEXT_SPACE
from server.engine.call import Call
from server.engine.history_slots import Past, history_slots, past_slots
from server.engine.live_offers import LiveSpace

#: The slots of the context that `enter` fills; they stand side by side.
_OF_SPACE = slice(CONTEXT_CHANNEL, CONTEXT_SPACE + 1)


class Conditions:
    """The answers of an environment's rules for one call.

    A rule is evaluated when it is first asked for, and at most once: rules of
    categories are shared by all their offers. A rule that reads `context.channel` or
    `context.space` has an answer for each space: at most once after each `enter`.
    """

    def __init__(self, call: Call) -> None:
        self.contact = call.contact
        #: Entered last; None before the first.
        self.space: LiveSpace | None = None
        #: That of the space.
        self.context = call.context
        #: Rules that had no answer where they were asked.
        self.raised = 0
        self._call = call
        self._rules = call.environment.rules
        self._history: History | None = None
        self._known: dict[int, bool] = {}
        self._weights: dict[int, float | None] = {}
        #: The same, of rules that read the space.
        self._known_here: dict[int, bool] = {}
        self._weights_here: dict[int, float | None] = {}

    def enter(self, space: LiveSpace) -> None:
        """Answer for this space from now on."""
        self.space = space
        channel = self._call.names.of_channel.get(space.channel_code, "")
        slots = list(self.context)
        slots[_OF_SPACE] = (channel, space.name)
        self.context = tuple(slots)
        self._known_here.clear()
        self._weights_here.clear()

    def holds(self, number: int) -> bool:
        """Whether a condition is true; an error counts as not true."""
        known = self._known.get(number)
        if known is None:
            known = self._known_here.get(number)
        if known is None:
            rule = self._rules[number]
            answers = self._known_here if rule.reads_space else self._known
            history = self._history_slots() if rule.reads_history else ()
            known = rule.holds(self.contact, self.context, history)
            if known is None:
                self.raised += 1
                known = False
            answers[number] = known
        return known

    def holds_of(self, number: int, past: Past) -> bool:
        """Whether a condition is true of one proposition."""
        history = past_slots([past], self._call.names)
        return bool(self._rules[number].holds(self.contact, self.context, history))

    def value_of(self, number: int, past: Past) -> bool | float | str | None:
        """What an expression gives for one proposition; None when it raises."""
        history = past_slots([past], self._call.names)
        return self._rules[number].value(self.contact, self.context, history)

    def reads_space(self, number: int) -> bool:
        """Whether a rule has an answer for each space of the call."""
        return self._rules[number].reads_space

    def weight(self, number: int) -> float | None:
        """What a formula gives; None when it raises."""
        rule = self._rules[number]
        weights = self._weights_here if rule.reads_space else self._weights
        if number not in weights:
            history = self._history_slots() if rule.reads_history else ()
            weight = weights[number] = rule.weight(self.contact, self.context, history)
            if weight is None:
                self.raised += 1
        return weights[number]

    def _history_slots(self) -> History:
        """The history, made when the first rule that reads it is evaluated."""
        if self._history is None:
            self._history = history_slots(self._call.newest_history(), self._call.names)
        return self._history
