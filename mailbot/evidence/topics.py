"""Subject and text of a mail + a field with choices → the choice that the mail is about, by its keywords.

For the second level of a subject (R003-05): *infiltração no teto do banheiro* is about *Infiltrações*. What is
said of two choices is said of none, and what a mail denies does not count: then the sender is asked.
"""

from __future__ import annotations

from mailbot.catalogue.facts.phrases import Spotted, spot
from mailbot.catalogue.field_specs import FieldSpec


def topic_in(spec: FieldSpec, subject: str, text: str) -> str:
    """The name of the only choice whose words stand in the subject or, where none does, in the text; else nothing.

    Only choices with keywords take part. Takes time linear in both; never raises.
    """
    for said in (subject, text):
        about = [choice.name for choice in spec.choices if choice.keywords and _is_said(choice.keywords, said)]
        if about:
            return about[0] if len(about) == 1 else ""
    return ""


def _is_said(keywords: tuple[str, ...], text: str) -> bool:
    return spot(text, keywords) in (Spotted.SAID, Spotted.PERHAPS)
