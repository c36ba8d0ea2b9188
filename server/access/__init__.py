"""Who may do what, on both ports.

    permissions   the table: each method, and the roles that may call it
    roles         what there is to be
    access_list   tokens and certificates that somebody was given: the file
    tokens        their text, and the hash that is kept of it

Nothing here knows what a method does. What is not in the table is refused.
"""
