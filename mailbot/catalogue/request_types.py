"""A request type: one service, as its YAML file states it."""

from __future__ import annotations

import string
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mailbot.catalogue.books import BookSpec, book_mistakes
from mailbot.catalogue.customer_needs import CUSTOMER_KEY, CustomerNeeds
from mailbot.catalogue.entries import Entry, Flag, Key, Text
from mailbot.catalogue.facts.functions import FactSpec
from mailbot.catalogue.field_specs import FieldKind, FieldSpec, problems_among
from mailbot.catalogue.folding import fold_words
from mailbot.catalogue.limits import Limits
from mailbot.catalogue.rules import Guidance, GuidanceLink, Rule
from mailbot.catalogue.type_texts import TypeTexts
from mailbot.domain.account_contacts import CONTACT_EMAIL_KEY, ContactAction
from mailbot.domain.evidence import DocumentKind
from mailbot.domain.ticket import Priority, Status


class DocumentRequirement(Entry):
    """A document that a request needs. ``hint`` is shown in the letter that asks for it."""

    key: DocumentKind
    label: Text
    required: Flag = True
    hint: str = ""

    @model_validator(mode="after")
    def _can_be_asked_for(self) -> Self:
        if self.key in (DocumentKind.UNKNOWN, DocumentKind.OTHER):
            raise ValueError(f"{self.key} is no kind of document that can be asked for")
        return self


class AfterReminders(StrEnum):
    """What happens to a request whose sender stays silent."""

    EXPIRE = "expire"
    TO_QUEUE = "to_queue"


class QueueHears(StrEnum):
    """From when on the people of a queue hear of a request."""

    WHEN_COMPLETE = "when_complete"
    WHEN_OPENED = "when_opened"


BusinessHours = Annotated[int, Field(ge=1, le=2000)]


class RequestType(Entry):
    """One service: how a mail is recognised as asking for it, what it needs, and who works on it.

    ``aliases`` are subjects as sure as ``subject``; ``suggestions`` only propose (R000-09); ``keywords`` are
    words of the body. ``title`` may name fields: ``Alteração de {origin_unit} para {destination_unit}``.
    ``rules`` are held against ``facts`` before anything is decided, the first row that applies wins; ``guidance``
    holds the words for those who are told what to do instead. ``resolved_note`` goes out with the letter that
    tells of a request that was done. ``further_labels`` are a company's own public labels, each over one status,
    which an agent chooses with ``#status``.
    ``urgent_words`` propose the priority high, or make it so where the requester asks for it too (R004-05).
    ``answer_within_business_hours`` is one number, or one a priority; its clock stands still while the requester
    is asked, and with ``stop_clock_on_hold`` while somebody else is waited for. So many business hours before its
    end staff are warned: ``warn_before_hours``, 0 for never.
    ``queue_hears`` of a request when nothing is missing any more, or as soon as it opens (R000-14, R000-23).
    ``family`` joins the types of one house, whose departments are corrected among each other (R004-03).
    ``new_until_answered``: the ticket is ``new`` until an agent acts on it (R003-16).
    ``procedure`` is where agents read how the work is done; their notice links to it (R001-18).
    ``received_note`` stands in the letters that say that nothing is missing; ``brand`` signs the letters instead
    of the mailbox's name, and ``closing_line`` ends each of them (R001-32). ``noted_fields`` are put into an
    internal note as soon as all are known (R001-02).
    ``books`` are mails to the sector of the queue, which the rules choose; a sector that is silent is reminded
    every ``nudge_sector_days``.
    ``suggest_articles`` is how many articles of ``knowledge/`` the confirmation may show at most; with
    ``ask_rating`` the letter that ends a ticket asks for a rating.
    """

    key: Key
    name: Text
    subject: str = ""
    aliases: tuple[Text, ...] = ()
    suggestions: tuple[Text, ...] = ()
    keywords: tuple[Text, ...] = ()
    queue: Key
    queue_hears: QueueHears = QueueHears.WHEN_COMPLETE
    title: str = ""
    documents: tuple[DocumentRequirement, ...] = ()
    fields: tuple[FieldSpec, ...] = ()
    facts: Mapping[Key, FactSpec] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    guidance: Mapping[Key, Guidance] = Field(default_factory=dict)
    resolved_note: Annotated[str, Field(max_length=2000)] = ""
    procedure: GuidanceLink | None = None
    received_note: Annotated[str, Field(max_length=2000)] = ""
    brand: Annotated[str, Field(max_length=100)] = ""
    closing_line: Annotated[str, Field(max_length=300)] = ""
    noted_fields: tuple[Key, ...] = ()
    books: Mapping[Key, BookSpec] = Field(default_factory=dict)
    nudge_sector_days: Annotated[int, Field(ge=1, le=60)] = 2
    customer: CustomerNeeds | None = None
    contact_action: ContactAction | None = None
    family: str = ""
    new_until_answered: Flag = False
    priority: Literal["automatic", "requester", "default_medium"] = "default_medium"
    status_labels: Mapping[Status, Text] = Field(default_factory=dict)
    further_labels: Mapping[Text, Status] = Field(default_factory=dict)
    limits: Limits | None = None
    urgent_words: tuple[Text, ...] = ()
    answer_within_business_hours: BusinessHours | Mapping[Priority, BusinessHours] | None = None
    stop_clock_on_hold: Flag = False
    warn_before_hours: Annotated[int, Field(ge=0, le=2000)] = 4
    reminders_days: tuple[Annotated[int, Field(ge=1, le=365)], ...] = (1, 3, 7)
    expires_day: Annotated[int, Field(ge=1, le=365)] = 10
    after_reminders: AfterReminders = AfterReminders.EXPIRE
    suggest_articles: Annotated[int, Field(ge=0, le=10)] = 0
    ask_rating: Flag = False
    en: TypeTexts = TypeTexts()
    es: TypeTexts = TypeTexts()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        problems = [
            *self._doubled_keys(),
            *self._shared_labels(),
            *problems_among(self.fields),
            *book_mistakes(self.books, self.noted_fields, self.fields),
            *self._bad_placeholders(),
            *self._reminders_out_of_order(),
            *self._contact_without_address(),
            *self._texts_of_nothing(),
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _texts_of_nothing(self) -> list[str]:
        return [
            f"{language}.{mistake}"
            for language, texts in (("en", self.en), ("es", self.es))
            for mistake in texts.strangers(
                documents=frozenset(str(document.key) for document in self.documents),
                fields=frozenset(field.key for field in self.fields),
                guidance=frozenset(self.guidance),
                asks_customer=self.customer is not None,
            )
        ]

    def understanding_all_languages(self) -> RequestType:
        """The type with the labels of all languages as further names of its fields, unless taken."""
        taken = {label for field in self.fields for label in field.all_labels}
        fields = []
        for field in self.fields:
            labels = [texts.labels[field.key] for texts in (self.en, self.es) if field.key in texts.labels]
            new = [label for label in labels if fold_words(label) not in taken]
            taken.update(fold_words(label) for label in new)
            stated = field.model_dump(exclude_unset=True)
            fields.append(FieldSpec.model_validate({**stated, "labels": (*field.labels, *new)}) if new else field)
        return self.model_copy(update={"fields": tuple(fields)})

    def in_language(self, language: str) -> RequestType:
        """The type as customers of ``language`` read it; Portuguese where the file says nothing else."""
        texts = {"en": self.en, "es": self.es}.get(language)
        if texts is None:
            return self
        return self.model_copy(
            update={
                "name": texts.name or self.name,
                "documents": tuple(_worded_document(one, texts) for one in self.documents),
                "fields": tuple(_worded_field(one, texts, language) for one in self.fields),
                "customer": _worded_customer(self.customer, texts),
                "received_note": texts.received_note or self.received_note,
                "status_labels": {**self.status_labels, **texts.status_labels},
                "guidance": {key: _worded_guidance(key, one, texts) for key, one in self.guidance.items()},
                "resolved_note": texts.resolved_note or self.resolved_note,
                "closing_line": texts.closing_line or self.closing_line,
            }
        )

    def _contact_without_address(self) -> list[str]:
        spec = self.field(CONTACT_EMAIL_KEY)
        if self.contact_action is None or (spec is not None and spec.kind is FieldKind.EMAIL and spec.required):
            return []
        return [f"contact_action needs a required field {CONTACT_EMAIL_KEY} of kind email"]

    def _doubled_keys(self) -> list[str]:
        keys = [str(document.key) for document in self.documents] + [field.key for field in self.fields]
        keys += [CUSTOMER_KEY] if self.customer is not None else []
        return [f"key {key!r} is used twice" for key in sorted({key for key in keys if keys.count(key) > 1})]

    def _shared_labels(self) -> list[str]:
        owners: dict[str, str] = {}
        return [
            f"label {label!r} belongs to both {owners[label]} and {field.key}"
            for field in self.fields
            for label in field.all_labels
            if owners.setdefault(label, field.key) != field.key
        ]

    def _bad_placeholders(self) -> list[str]:
        known = {field.key for field in self.fields}
        try:
            names = self.title_fields
        except ValueError as error:
            return [f"title: {error}"]
        return [f"title: no field {name!r}" for name in names if name not in known]

    def _reminders_out_of_order(self) -> list[str]:
        days = (*self.reminders_days, self.expires_day)
        return [] if list(days) == sorted(set(days)) else ["reminders_days must grow and end before expires_day"]

    def promised_hours(self, priority: Priority) -> int | None:
        """Within how many business hours a ticket of this priority is answered; ``None`` where nothing is
        promised.

        Of a priority that is not listed the promise of medium holds, or else the longest.
        """
        hours = self.answer_within_business_hours
        if hours is None or isinstance(hours, int):
            return hours
        return hours.get(priority) or hours.get(Priority.MEDIUM) or max(hours.values(), default=None)

    def stops_the_clock(self, status: Status) -> bool:
        """Whether no promise runs while a ticket is ``status``."""
        return status is Status.AWAITING_REQUESTER or (self.stop_clock_on_hold and status is Status.ON_HOLD)

    @cached_property
    def title_fields(self) -> tuple[str, ...]:
        """Keys of the fields that ``title`` names; ``ValueError`` where it is no plain format."""
        names = []
        for _, name, format_spec, conversion in string.Formatter().parse(self.title):
            if name is None:
                continue
            if format_spec or conversion or not name.isidentifier():
                raise ValueError(f"only plain names may stand in braces, not {name!r}")
            names.append(name)
        return tuple(names)

    def title_for(self, values: Mapping[str, str]) -> str:
        """The ticket's title made from field values, or an empty string where one is missing (R000-18)."""
        names = self.title_fields
        if not all(values.get(name) for name in names):
            return ""
        return self.title.format_map({name: values[name] for name in names})

    def queue_for(self, values: Mapping[str, str]) -> str:
        """The department for a request with these valid values, by field: a chosen answer's, else its own."""
        for field in self.fields:
            for choice in field.choices:
                if choice.queue is not None and choice.name == values.get(field.key):
                    return choice.queue
        return self.queue

    def document(self, key: str) -> DocumentRequirement | None:
        """The requirement with this key."""
        return next((document for document in self.documents if document.key == key), None)

    def field(self, key: str) -> FieldSpec | None:
        """The field with this key."""
        return next((field for field in self.fields if field.key == key), None)

    def label_of(self, status: Status, further: str = "") -> str:
        """The public label of a ticket that is ``status``: its ``further`` one, if that belongs to this status."""
        if further and self.further_labels.get(further) is status:
            return further
        return self.status_labels.get(status, str(status))

    def label_for(self, key: str) -> str:
        """What customers call the document or field ``key``; the key itself where there is none."""
        of_customer = self.customer if key == CUSTOMER_KEY else None
        named = of_customer or self.document(key) or self.field(key)
        return key if named is None else named.label


def _worded_document(document: DocumentRequirement, texts: TypeTexts) -> DocumentRequirement:
    key = str(document.key)
    words = {"label": texts.labels.get(key, document.label), "hint": texts.hints.get(key, document.hint)}
    return document.model_copy(update=words)


def _worded_customer(customer: CustomerNeeds | None, texts: TypeTexts) -> CustomerNeeds | None:
    if customer is None or texts.customer is None:
        return customer
    return customer.model_copy(update={"label": texts.customer.label, "question": texts.customer.question})


def _worded_field(field: FieldSpec, texts: TypeTexts, language: str) -> FieldSpec:
    words = {
        "label": texts.labels.get(field.key, field.label),
        "question": texts.questions.get(field.key, field.question),
        "choices": tuple(choice.in_language(language) for choice in field.choices),
    }
    return field.model_copy(update=words)


def _worded_guidance(key: str, guidance: Guidance, texts: TypeTexts) -> Guidance:
    words = texts.guidance.get(key)
    if words is None:
        return guidance
    link = guidance.link
    if link is not None and words.link_label:
        link = link.model_copy(update={"label": words.link_label})
    return guidance.model_copy(update={"title": words.title, "text": words.text, "link": link})
