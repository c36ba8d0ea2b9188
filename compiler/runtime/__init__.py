"""What a compiled rule needs in order to run; standard library and RE2 only.

    history      the contact's propositions as a rule sees them
    tree         a rule after every check: immutable nodes with types and positions
    encoding     a tree as bytes, one way only, and back; digests
    values       MISSING, and the checked operations that generated code calls
    times        timestamps and durations: constants, ranges, parts in a time zone
    interpreter  the exact meaning of a tree; says what failed, where, and why
    finality     when an error in generated code leaves nothing to ask
    linker       code bytes and tree bytes to a function that decides

    rendering        a template's bytes to a function that makes its text
    template_values  what templates read, and their conditions
    value_texts      values as texts: filters and escaping

A rule reads two flat tuples, `contact` and `context`, and `history`, a tuple of flat
tuples. A slot holds a bool, int, float
or str, None for an explicit null, a tuple for a list (its elements are never null), an
int of microseconds for a timestamp (since 1970 UTC) or a duration, or MISSING. Whoever
fills the slots checks types and ranges; rules do not.
"""
