"""The administrator's door: one module for each group of commands, all of one shape."""
