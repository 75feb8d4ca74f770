"""A soak run by hand, ``python -m tests.soak``: two daemons on one database, killed and cut off, for an hour."""
