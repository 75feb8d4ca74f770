"""Which answers of a server are written down as troubles, and which say that one is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.domain.exchange import Delivered, NotReached, Refused, Throttle
from mailbot.flows.outlets import Outlet
from mailbot.flows.server_troubles import ServerTroubles
from tests.flows.house import TestHouse
from tests.flows.test_delivery import AWAY, DELIVERED, NO_SUCH_USER, FakeTransport

DAILY = Refused(code=450, response="enough for a day", permanent=False, throttled=Throttle.DAILY)
RATE = Refused(code=421, response="too fast", permanent=False, throttled=Throttle.RATE)
LOGIN_ENDED = NotReached(reason="AADSTS7000222", credentials_refused=True, login_expired=True)


@pytest.fixture
def outlet(tmp_path: Path) -> Outlet:
    with TestHouse(tmp_path) as house:
        return Outlet(mailbox=house.app.mailboxes["default"], transport=FakeTransport(DELIVERED))


def answered_once(outlet: Outlet) -> ServerTroubles:
    """As things stand after the first letter that a server took."""
    troubles = ServerTroubles([outlet])
    first = troubles.news(outlet, DELIVERED, throttles=0)
    assert first is not None and not first.noted
    assert first.over == set(outlet.troubles), "an earlier process may have noted any of them"
    troubles.are_written(first)
    return troubles


@pytest.mark.parametrize("outcome", [DELIVERED, NO_SUCH_USER, Delivered(response="")])
def test_while_all_is_well_a_letter_gives_nothing_to_write(outlet: Outlet, outcome: Delivered | Refused) -> None:
    assert answered_once(outlet).news(outlet, outcome, throttles=0) is None


def test_a_server_that_is_away_is_noted_each_time_and_over_with_its_first_answer(outlet: Outlet) -> None:
    troubles = answered_once(outlet)
    for _ in range(2):
        news = troubles.news(outlet, AWAY, throttles=0)
        assert news is not None and news.noted.keys() == {outlet.server_away} and not news.over
        troubles.are_written(news)
    over = troubles.news(outlet, DELIVERED, throttles=0)
    assert over is not None and over.over == {outlet.server_away} and not over.noted


def test_what_could_not_be_written_is_news_again(outlet: Outlet) -> None:
    troubles = answered_once(outlet)
    away = troubles.news(outlet, AWAY, throttles=0)
    assert away is not None
    assert troubles.news(outlet, DELIVERED, throttles=0) is None, "nobody has heard of it"
    troubles.are_written(away)
    for _ in range(2):
        assert troubles.news(outlet, DELIVERED, throttles=0) is not None


def test_who_does_not_answer_says_nothing_of_limit_and_log_in(outlet: Outlet) -> None:
    troubles = ServerTroubles([outlet])
    news = troubles.news(outlet, AWAY, throttles=0)
    assert news is not None and not news.over


def test_a_log_in_that_ended_is_noted_beside_the_server(outlet: Outlet) -> None:
    news = answered_once(outlet).news(outlet, LOGIN_ENDED, throttles=0)
    assert news is not None and news.noted.keys() == {outlet.server_away, outlet.login_over}


def test_a_limit_says_that_the_server_is_there(outlet: Outlet) -> None:
    news = ServerTroubles([outlet]).news(outlet, DAILY, throttles=1)
    assert news is not None
    assert news.noted.keys() == {outlet.limit_reached}
    assert news.over == {outlet.server_away, outlet.login_over}


@pytest.mark.parametrize(("throttles", "told"), [(1, False), (2, False), (3, True)])
def test_an_answer_of_too_fast_is_told_when_it_comes_thrice_in_a_row(
    outlet: Outlet, throttles: int, told: bool
) -> None:
    news = answered_once(outlet).news(outlet, RATE, throttles=throttles)
    assert (news is not None) is told
