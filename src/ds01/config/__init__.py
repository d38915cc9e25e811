"""The admin's one file, limits.yaml, read into the settings of the domain with a place for every value.

``located`` reads YAML and remembers where everything stands, ``shape`` says what may stand where, ``limits``
turns a valid file into settings, ``current`` keeps the last good one in force, ``legacy`` translates older files.
"""
