"""``python -m mailbot`` and the ``mailbot`` command."""

from __future__ import annotations

import gc


def main() -> None:
    """Run the command line."""
    # What is loaded now stays: to look through all of it for garbage while it comes takes a fifth of the start.
    gc.disable()
    # Imported here so that the child process that reads mails pays nothing for it.
    from mailbot.cli.main import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
