"""One question to an authorization server: a request in, its answer out, within a time limit as a whole.

The vendors' libraries are given this in the place of their own: their limits are for a single socket operation,
so that a server which sends a byte now and then would hold us for ever. Certificates are checked against the
system's authorities, a proxy is taken from the environment, redirects are not followed: what is sent is secret.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from mailbot.domain.errors import ServerAway

LIMIT_SECONDS = 20.0
_ONE_OPERATION_SECONDS = 10.0
_LARGEST_ANSWER_BYTES = 1 << 20
_CHUNK_BYTES = 16 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What a server said. ``body`` may hold a token."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text; never fails."""
        return self.body.decode("utf-8", errors="replace")


class Https:
    """Asks authorization servers. Used by any thread; holds no connection."""

    def __init__(self, *, limit_seconds: float = LIMIT_SECONDS, context: ssl.SSLContext | None = None) -> None:
        self._limit_seconds = limit_seconds
        self._context = context

    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> HttpAnswer:
        """Send a request. Raises ``ServerAway`` without an answer in time, and for answers that say *later*."""
        place = place_of(url)
        request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)
        with _Watch(self._limit_seconds) as watch:
            try:
                answer = self._answer(request, watch)
            except (OSError, http.client.HTTPException, ValueError) as error:
                said = "no answer in time" if watch.is_over else _explained(error)
                raise ServerAway(f"{place}: {said}") from None
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _LATER:
            raise ServerAway(f"{place}: answers {answer.status}, not now")
        return answer

    def _answer(self, request: urllib.request.Request, watch: _Watch) -> HttpAnswer:
        if self._context is None:
            self._context = ssl.create_default_context()
        opener = urllib.request.build_opener(
            _AnswersAsTheyAre, _PlainHandler(watch), _TlsHandler(self._context, watch)
        )
        with opener.open(request, timeout=min(_ONE_OPERATION_SECONDS, self._limit_seconds)) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpAnswer(status=response.status, headers=headers, body=_body(response, watch))


_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


def place_of(url: str) -> str:
    """How a server is named in messages."""
    return f"authorization server {urlsplit(url).hostname or '?'}"


def _body(response: http.client.HTTPResponse, watch: _Watch) -> bytes:
    body = bytearray()
    while not watch.is_over and (chunk := response.read1(_CHUNK_BYTES)):
        body += chunk
        if len(body) > _LARGEST_ANSWER_BYTES:
            raise ValueError
    # A connection that was shut looks like the end of the header or of the body.
    if watch.is_over:
        raise TimeoutError
    return bytes(body)


class _Watch:
    """Shuts the connections that are made during it when its time is over."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._connections: list[http.client.HTTPConnection] = []
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._ends_at

    def keep(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
        self._connections.append(connection)
        return connection

    def _shut(self) -> None:
        for connection in self._connections:
            # Its own thread may be about to connect, or have closed it this very moment.
            talking = connection.sock
            if talking is None:
                continue
            with contextlib.suppress(OSError):
                # TLS's own shutdown is not for a second thread.
                socket.socket.shutdown(talking, socket.SHUT_RDWR)


class _PlainHandler(urllib.request.HTTPHandler):
    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        def connection(host: str, **options: Any) -> http.client.HTTPConnection:
            return self._watch.keep(http.client.HTTPConnection(host, **options))

        return self.do_open(connection, req)


class _TlsHandler(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext, watch: _Watch) -> None:
        super().__init__(context=context)
        self._own_context = context
        self._watch = watch

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        def connection(host: str, **options: Any) -> http.client.HTTPConnection:
            return self._watch.keep(http.client.HTTPSConnection(host, context=self._own_context, **options))

        return self.do_open(connection, req)


class _AnswersAsTheyAre(urllib.request.HTTPErrorProcessor):
    """A refusal is an answer too, and its body says why."""

    def http_response(
        self,
        request: urllib.request.Request,  # noqa: ARG002  # urllib's name
        response: http.client.HTTPResponse,
    ) -> http.client.HTTPResponse:
        return response

    https_response = http_response


def _explained(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    match cause:
        case ssl.SSLCertVerificationError():
            return f"certificate refused: {cause.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {cause.reason or 'connection ended'}"
        case TimeoutError():
            return "no answer in time"
        case socket.gaierror():
            return "host name not found"
        case OSError():
            return cause.strerror or type(cause).__name__
    return f"answer is not HTTP ({type(cause).__name__})"
