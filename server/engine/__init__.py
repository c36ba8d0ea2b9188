"""Decides which offers to propose: plain values in, plain values out.

A call passes through these modules, in this order:

    live_catalog   what a published environment is, prepared for deciding
    call           what is asked, and what is known of the contact
    decision       the pipeline: candidates, eligibility, ranking, exclusion, answer
    eligibility    windows and rules, each distinct rule at most once per call
    arbitration    weights, multipliers, and the draw among equals
    presentation   what the contact was proposed before, counted

Nothing here knows gRPC, LMDB or the wire; time and the seed come with the call. The
same call gives the same decision, for ever.
"""
