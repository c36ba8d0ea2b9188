"""One compiled catalog as one LMDB file, in chunks that are each read in a moment.

    header                   the names of the environments, the format, the code's tag
    head/<name>              an environment without what follows, and how much follows
    <part>/<name>/<8 hex>    some items of one part

    chunks      items to sealed chunks and back; what a damaged one is refused with
    parts       an environment to its parts: records, uses, rules, index
    prepared    parts that a worker needs and that follow from the others:
    columns     offers and rows
    windows     which of them are open when
    membership  which of them are in each space, category and theme
    wording     what explanations tell of them
    contents    what spaces show of them
    writer      all of it to a new file
    reader      a mapped file to what was written, in one go or chunk by chunk

A file is written once and then only mapped, read-only and without a lock file. What
is read is decoded and copied; no LMDB buffer leaves this package. A catalog's digest
knows nothing of chunks.
"""

from catalog_store.revision_file.reader import RevisionFile as RevisionFile
from catalog_store.revision_file.writer import write_revision as write_revision
