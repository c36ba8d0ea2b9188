"""The parts of a live environment, each loaded in small steps.

`server.live_loading` puts them together, in this order:

    source    the parts of one environment in a revision's file
    rules     rules, linked when they are first asked
    offers    offers, what they are called, their rows
    contents  what spaces show of them
    spaces    spaces, and what makes what they show
    windows   which of them are open when
    presentation_rules  those of the typology in force
    quotas    limits over all contacts
    nouns     what people wrote, for explanations
    released  all of it given back, in small steps too
    collector what of all this the garbage collector sees: nothing
"""
