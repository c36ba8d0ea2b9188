"""Propono next to what one could use instead, with the same rules and contacts.

    work               offers with rules that all peers can express, and contacts
    naive              what is right, by hand
    cel                the rules in CEL
    catalog            the rules as a catalog of Propono's
    zen_table          the rules as a decision table of GoRules ZEN
    installation       where peers come from, and in which versions
    in_process         microseconds of one answer without a wire
    target             a peer that is up, and how to ask it
    served             every peer behind its port, compared, then loaded
    propono            Propono as it is served
    same_stack         other engines behind Propono's stack, and Propono's own
    engine_server      what serves them
    cerbos             Cerbos, asked in two ways
    opa                Open Policy Agent
    propose            calls of Propose
    load               calls by ghz, many in flight
    http_load          the same over HTTP
    processes          servers on a core of their own
    tables             what was measured, with ratios
    fairness           what to know before comparing figures

`python -m bench.peers.installation`, then `python -m bench.peers --offers 100`.
"""
