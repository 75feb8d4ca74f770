"""The three loops and what keeps house for them. Start reading here: ``handle_mail.py``."""
