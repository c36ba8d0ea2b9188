"""Design records over the wire: what people edit before it is published.

nouns         the table of nouns: names, messages, forms
forms         how each noun stands in its message, one line a field
fields        the kinds of fields there are
structures    the one that holds anything: a JSON rendering
translation   records as messages and back
"""
