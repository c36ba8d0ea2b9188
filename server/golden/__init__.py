"""Golden decisions, made: what a catalog must decide before it may.

    calls      a golden decision as a call of the engine
    tied       offers that stand where they do by the draw alone
    outcomes   what came out, held against what is expected
    failures   that something else came out, and the refusal
    running    all of a revision's
    trial      the same of a catalog that is not published

They are made by whoever publishes, on the very file that was installed and before the
pointer moves; never by a worker. No store is read, and no clock.
"""
