"""Stores what changes with every call: profiles, and the history of propositions.

In the order in which a call meets them:

    errors                what can go wrong
    lmdb_env              an LMDB environment, and write transactions on it
    sealed                values with a checksum
    environment_numbers   names of environments as small numbers
    contact_ids           names of contacts as keys

    profiles              upsert, delete, count and scan profiles
    profile_reader        a contact's attributes as the rules of one revision want them
    profile_import        many profiles that become visible together
    profile_layers        how: a layer of its own, later folded into the one below
    profile_erasure       what an import that is under way must not bring back
    profile_values        a profile as bytes and as slots
    layouts, slots        which value is whose, and what a value may be

    history               read a contact's record, or begin a transaction
    history_group         one transaction for several who wait at the same moment
    history_snapshot      what a decision that stores nothing reads
    history_transaction   append propositions, update them, keep time and answers
    contact_view          what is known of a contact, for those who list it
    records               propositions, their changes of status, the record
    status_changes        what an update does
    record_tables         where a record is
    cold_parts            its older propositions, read when a decision looks so far
    reach                 how far a decision looks
    stored_places         where one proposition is
    bindings              which contact a visitor id stands for
    merge                 two contacts become one; a visitor comes to lead to a contact
    aliases               where merged records went, and what leads to a record
    stored_values         what may be stored with a proposition
    quotas                counters over all contacts
    decision_inputs       what a decision was made of, for a month
    packing               a record as bytes
    proposition_ids       ids that callers cannot make up
    id_keys               the secrets that keep it so
    answers               answers to request ids
    names, channels       names as numbers that never change

    erasure               all that is known of a contact, removed from both
    history_erasure       the part that history knows

And for those who keep all of it in order:

    retention           what is kept of old propositions, and for how long
    purge               removes them, in steps that nobody notices
    walk                a table in short read transactions
    doctor              every stored value, checked and made good
    flaws               what can be wrong with one
    history_checks      one check for each kind of entry in history
    cold_checks         the same of cold parts
    store_checks        the same of main tables, and of profiles
    answer_checks       the same of answers
    quarantine          files of values that nobody can read
    compaction          copies without free pages, for backups and to save space

Nothing here knows a rule: what counts against a limit is the engine's matter. This
file imports nothing, so that the engine can have `records` without LMDB.
"""
