"""The design over the admin port: what people edit before it is published.

A call passes through these modules, in this order:

    handlers      the methods as gRPC handlers
    thread        what they run on
    service       List, Get, Create, Update and Delete, for every noun alike
    filters       which of them a list is to have
    masks         which fields an update is to change
    nouns         the table of nouns: names, messages, forms
    forms         how each noun stands in its message, one line a field
    fields        the kinds of fields there are
    content_fields the one for texts that one space shows
    structures    those that hold anything: a JSON rendering, attributes
    golden_form   the form of a golden decision, and its own kinds of fields
    translation   records as messages and back
    editing       a change: checked by the compiler, then stored
    audited       what the audit log is told of it
    zones         the check of what the compiler does not know
    refusals      what it found, as errors of the call

And a whole catalog:

    past              what was changed, by whom, and what was before
    catalog_methods   ApplyCatalog and ExportCatalog
    applying          compared with the design, and made it
    comparing         what two catalogs differ in
    publishing        Publish: the revision that decides, of all of the design
    scheduling        the same for a time to come: scheduled, listed, cancelled
    due_publications  and published then
    switching         SetOfferDisabled: the same with one offer out, or back in
    local, remote     the same for commands: in a data folder, or over the admin port

What is published of an environment whose source is the records:

    approved           the approved versions of its offers
    approving          what submitting and reviewing make of one
    approval_upkeep    what goes with any other change
    rights             who may change that an environment has approvals
    approval_methods   SubmitForApproval, Review and the lists
    approval_desk      what each of them does
    approval_requests  what they are asked, checked
    approval_lists     what waits for whom, and what became of it
    approval_messages  as messages

A noun that is added to the table can be edited; nothing else has to be written.
"""
