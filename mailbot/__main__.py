"""``python -m mailbot`` and the ``mailbot`` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    # Imported here so that the child process that reads mails pays nothing for it.
    from mailbot.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
