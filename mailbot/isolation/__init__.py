"""Hostile bytes are read in a kept child process: how it is started, limited, asked and replaced."""
