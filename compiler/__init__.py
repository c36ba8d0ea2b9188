"""Compiles catalogs and their rules, from CEL text to Python functions.

A catalog passes through these:

    catalog_check         whether its records fit together, before any rule
    catalog_values        numbers, windows and periods
    catalog_links         names that must exist, and what can never be seen
    catalog_quotas        what quotas limit, and whether it can be counted
    catalog_golden        what golden decisions name, and whether their values fit
    golden_diagnostics    every mistake in them, one constructor each
    catalog_diagnostics   every mistake in records, one constructor each
    revision              the whole of it: records and compiled rules
    rule_fields           where its rules stand, and what they may name
    change_check          the same of a catalog in which little changed, rules included
    reuse                 what did not change since the last time
    index                 which rows each value of each attribute leaves in the race
    index_reuse           which tables are as they were the last time
    row_sets              those tables: conditions over one attribute, as sets of rows
    conjuncts             what each row needs
    conditions            the distinct conditions of rules, and which each rule has
    weight_bounds         the most that each of its formulas can give
    attribute_tests       conditions over one attribute, as sets of values that pass
    analysis              what can never be proposed, and what has no effect
    analysis_diagnostics  every finding of that, one constructor each

A rule passes through these modules, in this order:

    source            the text, places in it, and diagnostics
    schema            what a rule may name, and in which slot it is found
    check             the CEL front end: names, types and limits
    positions         its offsets as spans that people recognise
    front_end_errors  its errors in our words
    diagnostics       every mistake, one constructor each
    checked_expr      its answer as Python values
    lowering          that answer as our tree, or why it is outside the language
    calls             operators and functions, and the types they give
    types             the types themselves
    constants         what is evaluated, or checked, while compiling
    segments          named conditions, expanded by their trees
    emitter           the tree as a Python function
    rules             all of this, in one call
    rule_parts        a plain rule's conditions, so that each is checked once
    assembly          rules put together from them, to the same bytes
    movable_code      their code
    bounds            between which numbers a formula's results lie

A template passes through these, beside source and schema:

    catalog_templates     the templates of an environment, one after the other
    template_tags         its text as texts and tags, each with its place
    template_scope        what it may name, and in which slot that is found
    template_blocks       tags put together: what is inserted, and what is chosen
    template_reader       one tag: names and filters
    template_conditions   what stands after if
    template_filters      the filters there are, and what they take
    template_constants    constants, and which type they fit
    template_urls         what a URL may hold, and where it may hold a value
    template_html         where in HTML a value may stand
    template_diagnostics  every mistake, one constructor each
    templates             all of this, in one call; JSON renderings too

`runtime` is what a compiled rule needs to run, and all that the engine may import. The
modules for rules do not know what an offer is: a rule is a condition, or a number, over
a schema.
"""
