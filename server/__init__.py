"""The decision server: engine, services, processes, command line.

A decision passes through these modules, in this order:

    transport          bytes in, bytes out; every mistake gets the right code
    admission          how many calls at once, and none that nobody waits for
    translation        the request, bounded and checked
    recurring_requests requests that differ in who they are about only
    decision_service   the whole of one call: prepare, decide, record, answer
    preparation        names, contact, context: a decision that lacks history and time
    recording_state    whether anything can be recorded now
    group_commit       one write transaction for the calls that wait together
    updating           one change of a proposition's status
    proposing          one decision: made, recorded, answered, explained
    contact_history    the contact's history, as far as it looks
    looks              how far that is
    quota_counts       what is left of the environment's quotas then
    identification     who the call is about, and so which environment decides
    resource_names     names for what history keeps as numbers
    context_values     the call's context as typed slots
    engine             the decision itself: pure
    replaying          what is kept of a decision, and the decision made again
    decision_record    what a decision came to, for comparison
    answers            the response
    answer_bytes       what is the same in many of them, encoded once
    explanations       its reasons, when they are asked for
    requests           what a caller can do wrong
    paging             how much of a list a page is to have
    refusals           why a right call is not answered now
    status             what gRPC calls both

The same for many contacts ahead of time:

    batch              the whole of one call, group by group
    batch_translation  the request, bounded and checked
    batch_contacts     who is asked about, each a decision that lacks history and time
    batch_pace         how large a group is, so that others do not wait
    batch_recording    one group: decided and recorded in one transaction
    batch_outcomes     what comes of one contact
    batch_answers      the responses

A catalog comes to a worker by these:

    files              catalogs and contacts in files
    publication        files or an artifact to the current revision
    sources            whether an environment may be published from there
    compiled_here      what the last one can give to the next
    golden             what a catalog must decide, decided before it may
    contact_differences what another catalog would propose to a contact
    live_loading       a revision's file to the live catalog
    live_index_loading its index

What runs:

    supervisor         `propono serve`: starts, restarts and stops the others
    disk_watch         looks at what is left of the disk
    shared_page        memory that all of them map
    writer_slot        where each says that it may hold the writers' lock
    watchdog           kills one that is stopped while it does
    child_process      starts one, and starts it again
    process            one child process
    process_options    what it is told
    worker             serves decisions
    rpc                the server that its calls come to
    admin              serves the admin port
    push               artifacts and rollbacks over the wire; push_stream takes the
                       parts, switching waits for the workers, revision_message tells
    standard_services  health and reflection, on both ports
    access             who may call what
    audit              who changed what, and who tried to
    addresses          where it listens
    quota_listing      what is left of every quota, for whoever asks
    quota_restoring    a count for one whose counter is damaged
    build_kind         whether the engine was compiled
    log_lines          what is logged, and how
    metrics            what it counts, in every process
    metrics_layout     all that there is to count, each in its place
    metrics_files      where that is, so that a full disk ends nobody
    metrics_page       the sum over all processes
    server_metrics     what the supervisor knows
    metrics_listener   all of that over HTTP
    design             edits what is published later; its docstring names its parts
    contact_service    keeps contacts; its docstring names its parts: contact_catalog,
                       contact_translation, contact_values, contact_upserts,
                       contact_answers, contact_stream
    data_folder        where all of it is kept
    keeper             purges old propositions, beside all of that
    countings          what the rules in force may still count of them
    doctor             checks a whole data folder
    revision_checks    the published part of it
    design_checks      what is edited
    schedule_checks    what is to be published later
    access_checks      who may call, and the audit log
    backup             copies it, and makes one of a copy
    data_compaction    gives its disk space back
    client             calls it
    admin_client       calls the admin port about contacts
    publication_client calls it to publish
    client_access      with which token, over what
    cli                the `propono` command
    wire               generated from proto/, never edited

`engine` knows nothing but plain values; `transport` and `status` are the only ones that
speak gRPC's language; `publication` and `design` are the only ways from here to the
compiler.
"""
