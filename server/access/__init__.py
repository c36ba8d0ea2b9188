"""Who may do what, on both ports.

    serving       what `propono serve` was asked for, refused if it is unsafe
    port          one port as its options say
    guard         in front of every method of a server: nothing is reached around it
    gate          who is calling, and whether they may
    permissions   the table: each method, and the roles that may call it
    rate_limits   and how often
    roles         what there is to be
    callers       who calls now, for whoever wants the name
    access_list   tokens and certificates that somebody was given: the file
    tokens        their text, and the hash that is kept of it
    tls           a port with certificates of our own, replaced without a restart
    pem_files     the files of one

Nothing here knows what a method does. What is not in the table is refused.
"""
