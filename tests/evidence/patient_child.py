"""The process that reads documents, with all the time that it takes on a machine that others keep busy."""

from __future__ import annotations

import sys

from mailbot.evidence import file_content
from mailbot.evidence.child import answer_next
from mailbot.isolation.serving import serve

if __name__ == "__main__":
    file_content.LOOKING_SECONDS = 600.0
    sys.exit(serve(answer_next, sys.argv[1:]))
