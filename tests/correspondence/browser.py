"""Chromium, driven over a pipe by the DevTools protocol: pages from text, themes, sizes, measures, pictures."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# The protocol's pipe is descriptors 3 (we write) and 4 (we read): put ours there, then become Chromium.
_LAUNCH = (
    "import os, sys; r, w = int(sys.argv[1]), int(sys.argv[2]); os.dup2(r, 3); os.dup2(w, 4);"
    " os.execv(sys.argv[3], sys.argv[3:])"
)
_ANSWER_WITHIN_SECONDS = 180.0


class Browser:
    """One headless Chromium with one page. ``profile`` is a folder of its own that it may write to."""

    def __init__(self, binary: str, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        # Above 10, so that dup2 to 3 and 4 closes neither.
        inherited = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (to_browser, from_browser)]
        os.close(to_browser)
        os.close(from_browser)
        arguments = [
            binary,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            f"--user-data-dir={profile}",
            "--remote-debugging-pipe",
            "about:blank",
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, *map(str, inherited), *arguments],
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for one in inherited:
            os.close(one)
        self._received = b""
        self._next_id = 0
        self._session: str | None = None
        target = next(one for one in self._pages() if one["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        self._call("Page.enable")
        self._frame = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session = None
        os.close(self._write)
        os.close(self._read)
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(20)

    def show(self, html: str, *, width: int, dark: bool) -> None:
        """Show ``html`` in a window of ``width`` CSS pixels."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600
        )
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[theme])
        self._call("Page.setDocumentContent", frameId=self._frame, html=html)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def picture(self) -> bytes:
        """A PNG of the whole page."""
        height = self.evaluate("document.documentElement.scrollHeight")
        width = self.evaluate("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        answer = self._call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def _pages(self) -> list[Mapping[str, Any]]:
        limit = time.monotonic() + _ANSWER_WITHIN_SECONDS
        while time.monotonic() < limit:
            found: list[Mapping[str, Any]] = self._call("Target.getTargets")["targetInfos"]
            if any(one["type"] == "page" for one in found):
                return found
        raise AssertionError("Chromium opened no page")

    def _call(self, method: str, **params: Any) -> Any:
        self._next_id += 1
        message: dict[str, Any] = {"id": self._next_id, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        left = memoryview(json.dumps(message).encode() + b"\0")
        while left:
            left = left[os.write(self._write, left) :]
        limit = time.monotonic() + _ANSWER_WITHIN_SECONDS
        while True:
            answer = json.loads(self._frame_before(limit))
            if answer.get("id") == self._next_id:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def _frame_before(self, limit: float) -> bytes:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._read], [], [], max(0.0, limit - time.monotonic()))
            chunk = os.read(self._read, 1 << 20) if ready else b""
            if not chunk:
                raise AssertionError("Chromium does not answer")
            self._received += chunk
        frame, _, self._received = self._received.partition(b"\0")
        return frame
