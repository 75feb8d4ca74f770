"""Letters wait in line for their server, first come first served, and who waits is known to be well."""

from __future__ import annotations

import asyncio

import pytest

from mailbot.flows.lines import Line


def test_places_are_given_in_the_order_of_coming() -> None:
    async def go() -> list[tuple[int, bool]]:
        line, served = Line(2), []

        async def one(number: int) -> None:
            async with line.taken(lambda: None) as waited:
                served.append((number, waited))
                await asyncio.sleep(0)

        await asyncio.gather(*(one(number) for number in range(6)))
        return served

    served = asyncio.run(go())
    assert [number for number, _ in served] == list(range(6))
    assert [waited for _, waited in served] == [False, False, True, True, True, True]


def test_a_place_is_free_again_whatever_became_of_the_letter() -> None:
    async def go() -> bool:
        line = Line(1)
        with pytest.raises(ValueError, match="broken"):
            async with line.taken(lambda: None):
                raise ValueError("broken")
        async with line.taken(lambda: None) as waited:
            return waited

    assert not asyncio.run(asyncio.wait_for(go(), 10))


def test_who_waits_long_shows_signs_of_life_and_has_a_place_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbot.flows.lines._SHOW_SIGNS_SECONDS", 0.001)

    async def go() -> None:
        line, signs = Line(1), 0

        def sign() -> None:
            nonlocal signs
            signs += 1
            if signs == 3:
                held.set()

        async def hold() -> None:
            async with line.taken(lambda: None):
                await held.wait()

        held = asyncio.Event()
        holding = asyncio.create_task(hold())
        await asyncio.sleep(0)
        async with line.taken(sign) as waited:
            assert waited and signs >= 3
        await holding
        # Nothing of the many looks is left over.
        async with line.taken(sign) as waited:
            assert not waited

    asyncio.run(asyncio.wait_for(go(), 10))
