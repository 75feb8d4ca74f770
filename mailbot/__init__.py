"""mailbot: a shared mailbox in, tickets and answers out."""

__version__ = "0.1.0"
