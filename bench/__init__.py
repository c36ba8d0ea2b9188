"""How fast it is, next to what else one could do: run by `make bench`.

    attributes  what is known of contacts, and conditions over it
    catalogs    environments of any size, and contacts for them
    revisions   a catalog compiled once, kept, and loaded as a worker loads it
    row_by_row  the same answers, one row after the other: judge and yardstick
    timing      percentiles, the machine, tables
    calling     microseconds of one call of the example bank, without gRPC
    matching    microseconds of a decision, against row by row
    compiling   seconds to compile, and to compile again; loading; memory
    admission   microseconds to know a caller, alone and in a call; and to audit
    outbound    contacts a second of a batch, dry and recorded, and its stages
    echo        calls next to those of an echo on the same stack
    echo_server that echo, in a process of its own
    ghz         load over the wire; configurations for anybody's are in the folder
    load_data   requests for them, about contacts that there are
    served_bank the example bank behind a port
    served_rows a generated catalog behind a port, and requests for it
    served_answers  whether that server answers what row_by_row answers
    ladder      the highest rate whose p99 stays under a bound
    h2load      as many calls as can be, made by h2load
    capacity    that, of a generated catalog and of echoes
    importing   an import, and what decisions notice of it
    history     what the past of contacts costs a decision
    layouts     how durable records could be laid out
    recording   what recording costs over the wire, on disks of any speed
    faulty_disk a disk that fails now and then, or is slow to flush
    processes   those of a server, as the kernel sees them
    publishing  milliseconds of a push and of a rollback, and their stages
    publishing_load  publications while clients call: errors, mixtures, leaks
    peers       the same rules and contacts in what one could use instead
    publishing_latency  what callers notice of publications
    served_facts  what the served catalog is made of
    statement   all of it as one report: `make bench`
    statement_parts  the benches that it is made of
    statement_report  Markdown, JSON and a chart
    bar_chart   that chart
    ratios      whether anything takes much longer than it did: `make bench-check`
    ratio_subjects  what that times

Nothing here is imported by what is served.
"""
