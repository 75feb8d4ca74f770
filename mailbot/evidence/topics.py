"""Subject and text of a mail + a field with choices → the choice that the mail is about, by its keywords.

For the second level of a subject (R003-05): *infiltração no teto do banheiro* is about *Infiltrações*. What is
said of two choices is said of none, and what a mail denies does not count: then the sender is asked.
"""

from __future__ import annotations

from mailbot.catalogue.facts.phrases import Spotted, clauses_of, spot
from mailbot.catalogue.field_specs import FieldSpec

_ABOUT_IT = (Spotted.SAID, Spotted.PERHAPS)


def topic_in(spec: FieldSpec, subject: str, text: str) -> str:
    """The name of the only choice whose words stand in the subject or, where none does, in the text; else nothing.

    Only choices with keywords take part. Takes time linear in both; never raises.
    """
    by_choice = [(choice.name, choice.keywords) for choice in spec.choices if choice.keywords]
    if not by_choice:
        return ""
    for said in (subject, text):
        clauses = clauses_of(said)
        about = [name for name, keywords in by_choice if spot(clauses, keywords) in _ABOUT_IT]
        if about:
            return about[0] if len(about) == 1 else ""
    return ""
