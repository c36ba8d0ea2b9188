"""Explains a decision: why each offer is not proposed, and what would change that.

Made when somebody asks, from a call and the decision of it. In this order:

    offers              each offer in each space: its reasons, the changes
    summary             first reasons, counted by category
    space_page          what the decision left on the page when it filled the space
    scrutiny            all the reasons of one offer, noun by noun
    row_scrutiny        the same of its weight rows
    failing_conditions  which conditions of a rule are not true
    found_values        what they read, by name
    reasons             the reasons: one constructor for each
    changes             what would make the offer eligible
    change_search       values and a time that do, confirmed by another scrutiny
    candidate_values    values worth trying for one attribute
    altered_call        a call with one thing changed
    plain_words         values and moments as people say them
"""
