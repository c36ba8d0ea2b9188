"""Catalogs on disk: the nouns, the revisions that are published of them, the design.

    records         the nouns of a catalog, as people edit them
    record          what every one of them is made of
    golden_decisions what a catalog must decide before it is published
    attribute_values values of attributes, as JSON has them
    counting        what their presentation rules and quotas count
    category_paths  the categories above each of them
    compiled        the same with compiled rules: what a revision holds
    stored_rule     one of these rules
    index_tables    what finds the rows that match, without asking each
    revision_file   one LMDB file per compiled catalog, immutable
    manifest        what a revision or an artifact is, and its file's sha256
    keys            Ed25519 keys in files
    trust           whose signatures count
    signatures      over a manifest's exact bytes
    acceptance      which artifacts may be published
    artifact        manifest, signature and file as one file, to carry between machines
    installation    a file on its way into the folder: whole and verified, or gone
    revisions       the folder of published revisions, and the pointer to the current
    publication_lock one publication at a time
    signal_page     what its processes share: that it moved, and who has switched
    scheduled_publications  catalogs that wait for the time at which they are published
    collection      removes what interrupted publications left
    durable_files   files that are on disk when they have their name

And what is edited before it is published:

    design_store    design records in LMDB, and every change that was made of them
    design_changes  one change: written whole, and read again
    design_past     all changes, and what they came to at any time
    design_records  records by name, and the catalog that they are together
    approvals       what was submitted, reviewed and approved of offers
    design_values   keys and values, with checksums
    design_faults   checks of all of it
    design_errors   what can go wrong

Nothing here knows CEL, gRPC or the server. A reader never opens a file whose bytes
nobody hashed, on the word of a manifest that nobody trusted signed: a truncated LMDB
file ends the process, and code in a foreign one could do anything.
"""
