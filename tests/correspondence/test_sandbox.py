"""A template reads the declared fields of a view, and nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jinja2 import TemplateError

from mailbot.correspondence.environment import environment_of
from mailbot.correspondence.words import Words


@dataclass(frozen=True, kw_only=True)
class _View:
    shown: str = "visto"
    _kept: str = "segredo"
    rows: list[str] = field(default_factory=lambda: ["um"])

    def hidden(self) -> str:
        return "feito"


@dataclass(kw_only=True)
class _Changeable:
    words: str = "palavras"


def rendered(source: str) -> str:
    environment = environment_of(Path("/nonexistent"), Words(language="pt-BR", phrases={}), inline_css=False)
    return environment.from_string(source).render(view=_View(), other=_Changeable())


def test_declared_fields_are_read() -> None:
    assert rendered("{{ view.shown }} {{ view.rows[0] }} {{ other.words }}") == "visto um palavras"


@pytest.mark.parametrize(
    "source",
    [
        "{{ view._kept }}",
        "{{ view.__class__ }}",
        "{{ view.__dataclass_fields__ }}",
        "{{ view.hidden.__globals__ }}",
        "{{ view.shown.__class__.__mro__ }}",
        "{{ view.rows.append('dois') }}",
        "{{ other.__init__ }}",
        "{{ ''.__class__ }}",
        "{% for row in view.rows %}{{ loop._iterator }}{% endfor %}",
        "{% for row in view.rows %}{{ loop.__class__ }}{% endfor %}",
        "{% macro said() %}{% endmacro %}{{ said._func }}",
        "{% macro said() %}{% endmacro %}{{ said.__call__.__globals__ }}",
        "{{ ''.format_map.__self__ }}",
    ],
)
def test_nothing_behind_a_view_is_reached_threat_22(source: str) -> None:
    with pytest.raises(TemplateError):
        rendered(source)


def test_an_imported_template_gives_its_macros_and_nothing_of_itself_threat_22(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "_macros.html").write_text(
        "{% macro said(word, mark='!') %}<p>{{ word }}{{ mark }}</p>{% endmacro %}{% set own = ['a'] %}", "utf-8"
    )
    environment = environment_of(tmp_path, Words(language="pt-BR", phrases={}), inline_css=False)

    def imported(source: str) -> str:
        return environment.from_string('{% import "_macros.html" as m %}' + source).render()

    loop = "{% for word in ['<a>', 'b'] %}{{ m.said(word, mark=loop.index) }}{% endfor %}"
    assert imported(loop) == "<p>&lt;a&gt;1</p><p>b2</p>"
    for hidden in ("m._body_stream", "m.__dict__", "m.own.append('b')", "m.said._func", "m.said(1, 2, 3)"):
        with pytest.raises((TemplateError, TypeError)):
            imported("{{ " + hidden + " }}")
