"""Catalogs on disk: the nouns, and the revisions that are published of them.

    records         the nouns of a catalog, as people edit them
    counting        what their presentation rules and quotas count
    category_paths  the categories above each of them
    compiled        the same with compiled rules: what a revision holds
    stored_rule     one of these rules
    index_tables    what finds the rows that match, without asking each
    revision_file   one LMDB file per compiled catalog, immutable
    manifest        what a revision is, and the sha256 that makes its file trusted
    artifact        manifest and file as one file, to carry between machines
    revisions       the folder of published revisions, and the pointer to the current

Nothing here knows CEL, gRPC or the server. A reader never opens a file whose bytes
were not verified when it was installed: a truncated LMDB file ends the process.
"""
