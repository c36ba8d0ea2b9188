"""Decides which offers to propose: plain values in, plain values out.

A call passes through these modules, in this order:

    live_catalog   a published environment, and the catalog of all of them
    live_offers    its nouns: offers, rows, spaces, presentation rules
    live_index     its rows in the order in which they are proposed, and what finds them
    call           what is asked, and what is known of the contact
    decision       the pipeline: candidates, ranking, exclusion, answer
    eligibility    what the rules say of the contact, each at most once per call
    history_slots  the contact's propositions as rules read them, when one does
    bit_sets       rows and offers, a bit for each
    matching       which rows match: one look into a table per attribute
    race           what is left of a space, looked up once
    ranking        the eligible offers, best first, as far as anybody asks
    streams        rows from one place, heaviest first, looked at when they can win
    arbitration    the weight of a row, and the draw among equals
    tallies        what the contact was proposed before, counted
    presentation   what rules exclude by it
    counted_offers which offers each of its rules leaves out at once
    contenders     the ranking without those
    live_quotas    limits over all contacts
    quotas         what they still allow, while one call takes from it
    quota_periods  when their periods begin and end
    stored_values  what a space keeps with a proposition
    rendering      what a space shows of an offer, personalised

A decision that somebody asks about is explained from these, and others pay nothing:

    live_nouns     what people wrote of each noun, without what it inherits
    explanation    the reasons, and what would change them: a package of its own

Nothing here knows gRPC, LMDB or the wire; time and the seed come with the call. The
same call gives the same decision, for ever.
"""
