"""Processes of our own: kept children in which hostile bytes are read, how they are started, limited, asked and
replaced; and the fork server off which helpers are forked."""
