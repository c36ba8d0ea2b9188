"""Who changed what, and who tried to: a log that shows when it was altered.

    calls      what the guard of a port tells: each change before and after it is made
    changes    the change that is being made, for whoever knows what was before
    publications  which revision decided before one
    content    what of requests and answers is kept, and what never
    refusals   identical refusals, counted
    log        where all of it is written: DATA/audit
    entries    what a line says, and how it holds the hash of the line before
    reading    every line again, and the first that is broken

A change is written down before it is made: what cannot be written is not done.
"""
