"""What people keep in files: catalogs in YAML, contacts in tables.

A catalog is a folder with one folder per environment. The environment's name is its
folder's; `environment.yaml` describes it, and any number of other `*.yaml` files, in
folders as deep as one likes, hold its categories, offers, spaces, segments,
presentation_rules, typologies, quotas and golden_decisions. A section may be spread
over several files; the order is environment.yaml first, then by path, and within a
file as written.

    bank/recipient/environment.yaml      bank/recipient/offers/cards.yaml

        default: true                        offers:
        time_zone: Europe/Lisbon               gold_card:
        contact_attributes:                      category: cards
          age: int                               end: 2027-01-01
                                                 weights: [20, "10.0 + double(...)"]

Keys are those of `catalog_store.records`, but named things are mappings of names to
bodies, a window is `start` and `end`, a period is `2d 6h`, one item may stand for a
list, and the one value that a body needs may stand for the body. docs/catalog-files.md
is the guide for those who write them. The modules, in order of control flow:

    catalog_files      the pipeline: a folder to a catalog, or to all of its mistakes
    catalog_cache      what was read of files that did not change since
    catalog_folder     which files there are; reads each once, within bounds
    yaml_nodes         a text to nodes that know their place and guess no types
    yaml_forms         how each record is written, read off the records themselves
    yaml_records       nodes to records
    yaml_scalars       numbers, truth, moments, periods
    catalog_places     the field of a record to its place in a file
    yaml_positions     a part of a scalar to its place in a file
    catalog_mistakes   every mistake of a folder, one constructor each
    yaml_mistakes      every mistake of one file

The other way round:

    catalog_export     a catalog to a folder
    yaml_text          records to YAML

And for contacts:

    contacts           imports a file: rows in, profiles stored, and a summary
    contact_table      what an import needs of a file, whatever its format
    contact_csv        CSV as rows of cells
    contact_parquet    Parquet as rows of cells
    contact_plan       which columns make ids and values
    contact_cells      cells as values of attributes, and back
    contact_rejects    the file of rejected rows
    contact_export     profiles to a file that can be imported again

For offers to many contacts:

    contact_list       the contacts that a table names, each once
    contact_rows       contacts with their values, for decisions without a store
    proposition_parts  a table of propositions, written in parts so that it can go on

For those who analyse:

    proposition_export what was proposed, to Parquet by day
"""

from server.files.catalog_files import CatalogFiles as CatalogFiles
from server.files.catalog_files import read_catalog as read_catalog
