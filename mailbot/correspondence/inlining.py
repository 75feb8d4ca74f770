"""CSS into the templates' own source: (source with Jinja tags, rules) → source with ``style`` attributes.

Mail programs that drop ``<style>`` still show a letter as it was drawn. It is done once for each template
when it is loaded: a letter itself costs nothing. The HTML parser below never sees a Jinja tag: each is a
comment in the text, which may stand anywhere (a bare word inside ``<table>`` would be moved out of it), and a
plain word inside a tag's attribute. A template writes ``<tbody>`` itself, or the parser would.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"(?P<opaque><!--.*?-->|<style\b.*?</style>|<title\b.*?</title>)"
    r"|(?P<jinja>\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})"
    r"|(?P<open><(?=[a-zA-Z/!]))"
    r"|(?P<close>>)",
    re.DOTALL,
)
_PLACE = re.compile(r"<!--mbx(\d+)xbm-->|mbx(\d+)xbm")


def inlined(source: str, css: str) -> str:
    """``source`` with the rules of ``css`` written into ``style`` attributes; Jinja tags, comments and
    ``<style>`` elements stay as they are."""
    if not css or "<" not in source:
        return source
    import css_inline

    kept: list[str] = []
    in_tag = False

    def shelved(match: re.Match[str]) -> str:
        nonlocal in_tag
        if match["open"]:
            in_tag = True
            return match[0]
        if match["close"]:
            in_tag = False
            return match[0]
        kept.append(match[0])
        word = f"mbx{len(kept) - 1}xbm"
        return word if in_tag else f"<!--{word}-->"

    bare = _TOKEN.sub(shelved, source)
    # Never fetch anything: a letter's rules stand beside the templates and nowhere else.
    inliner = css_inline.CSSInliner(load_remote_stylesheets=False, inline_style_tags=False, extra_css=css)
    whole_page = "<html" in bare
    done = inliner.inline(bare) if whole_page else inliner.inline_fragment(bare, css)
    return _PLACE.sub(lambda place: kept[int(place[1] or place[2])], done)
