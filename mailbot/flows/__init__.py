"""The three loops and what keeps house for them. Start reading here: ``intake.py``."""
