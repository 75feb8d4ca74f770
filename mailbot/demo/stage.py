"""What scenes act with: ``Stage`` sends people's mail, waits for the letters that a scene expects, shows both."""

from __future__ import annotations

from collections.abc import Callable
from email.headerregistry import Address

from mailbot.demo.cast import MAILBOX
from mailbot.demo.daemon_process import DaemonProcess
from mailbot.demo.post_office import Delivery, Dmarc
from mailbot.demo.servers import EmbeddedServers
from mailbot.demo.show import Screen
from mailbot.mime.parse import parse_mail

_LETTER_WITHIN_SECONDS = 60.0


class SceneFailed(Exception):
    """Something that a scene expects did not come; the text says what."""


class Stage:
    """What the scenes act with: mail out, letters in, everything shown as it happens."""

    def __init__(self, servers: EmbeddedServers, daemon: DaemonProcess, screen: Screen) -> None:
        self.servers = servers
        self.daemon = daemon
        self.screen = screen
        self._shown = 0
        self._taken: dict[str, int] = {}
        self._looked_for: tuple[str, tuple[str, ...]] = ("", ())

    def customer_writes(
        self, mail: bytes, *, dmarc: Dmarc | None = "pass", envelope_from: str | None = None
    ) -> None:
        """A mail from outside to the mailbox."""
        sender = parse_mail(mail).sender.address if envelope_from is None else envelope_from
        self.servers.deliver(mail, to=MAILBOX, dmarc=dmarc, envelope_from=sender)
        self.show_news()

    def agent_writes(self, mail: bytes, agent: Address) -> None:
        """A mail of a person of the house, who logs in to send it."""
        self.servers.deliver(mail, to=MAILBOX, authenticated_as=agent.addr_spec)
        self.show_news()

    def letter_to(self, recipient: Address, *, what: str, saying: str = "", also: str = "") -> bytes:
        """Wait for the recipient's very next letter and return it; ``saying`` and ``also`` must stand in its text.

        Raises ``SceneFailed``, at once if the daemon has ended.
        """
        self._looked_for = (recipient.addr_spec, (saying, also))
        letter = self._next(recipient.addr_spec, what, lambda _text: True)
        text = parse_mail(letter).full_text
        for words in (saying, also):
            if words not in text:
                raise SceneFailed(f"{recipient.addr_spec} should get {what}; what came does not say “{words}”")
        return letter

    def notice_to(self, agent: Address, *, what: str, saying: str) -> bytes:
        """Wait for a notice with ``saying`` in its text; other notices may come before it. Raises likewise."""
        self._looked_for = (agent.addr_spec, (saying,))
        return self._next(agent.addr_spec, what, lambda text: saying in text)

    def _next(self, address: str, what: str, fits: Callable[[str], bool]) -> bytes:
        def come() -> Delivery | None:
            self.show_news()
            news = self.servers.deliveries(after=self._taken.get(address, 0))
            mine = (one for one in news if one.mailbox == address)
            return next((one for one in mine if fits(parse_mail(one.raw).full_text)), None)

        self.servers.wait_until(lambda: come() is not None or not self.daemon.is_running, _LETTER_WITHIN_SECONDS)
        found = come()
        if found is None:
            alive = self.daemon.is_running
            why = f"nothing came within {_LETTER_WITHIN_SECONDS:g} s" if alive else "the daemon has ended"
            raise SceneFailed(f"{address} should get {what}; {why}")
        self._taken[address] = found.number
        return found.raw

    def show_news(self) -> None:
        """Show what was delivered since the last time."""
        for delivery in self.servers.deliveries(after=self._shown):
            self._shown = delivery.number
            address, saying = self._looked_for
            self.screen.mail(delivery, showing=saying if delivery.mailbox == address else ())


Scene = Callable[[Stage], None]
