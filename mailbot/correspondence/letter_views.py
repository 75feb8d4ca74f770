"""Which view model belongs to which letter: ``VIEW_OF[LetterKind] -> type[LetterView]``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mailbot.correspondence.alert_views import (
    AlertLettersHeldView,
    AlertLettersStuckView,
    AlertLoginExpiresView,
    AlertQuarantineView,
    AlertServerAwayView,
)
from mailbot.correspondence.contact_views import ContactChangedView, ContactConfirmationView
from mailbot.correspondence.context import LetterView
from mailbot.correspondence.guidance_views import GuidanceView
from mailbot.correspondence.query_views import (
    HelpView,
    QueryNotAnsweredView,
    RequesterActedView,
    TicketDetailsView,
    TicketListView,
    TicketReclassifiedView,
    TicketStatusView,
    TicketWithdrawnView,
)
from mailbot.correspondence.requester_views import (
    AgentAnswerView,
    DecisionView,
    EvidenceCompleteView,
    EvidenceRequestedView,
    MailRefusedView,
    ReminderView,
    TicketExpiredView,
    TicketOpenedView,
    WhichTicketView,
)
from mailbot.correspondence.sector_views import SectorBookView, SectorRepliedView
from mailbot.correspondence.staff_views import (
    ConfirmOrdersView,
    DeliveryFailedView,
    NoticesSummaryView,
    ReplyRefusedView,
    RequesterRepliedView,
    TicketReadyView,
    TranscriptView,
)
from mailbot.correspondence.work_views import (
    ColleagueAnsweredView,
    DigestManagersView,
    DigestView,
    LateWarningView,
)
from mailbot.domain.events import LetterKind

VIEW_OF: Final[Mapping[LetterKind, type[LetterView]]] = MappingProxyType(
    {
        LetterKind.TICKET_OPENED: TicketOpenedView,
        LetterKind.LATE_WARNING: LateWarningView,
        LetterKind.COLLEAGUE_ANSWERED: ColleagueAnsweredView,
        LetterKind.DIGEST: DigestView,
        LetterKind.DIGEST_MANAGERS: DigestManagersView,
        LetterKind.EVIDENCE_REQUESTED: EvidenceRequestedView,
        LetterKind.EVIDENCE_COMPLETE: EvidenceCompleteView,
        LetterKind.WHICH_TICKET: WhichTicketView,
        LetterKind.AGENT_ANSWER: AgentAnswerView,
        LetterKind.DECISION: DecisionView,
        LetterKind.GUIDANCE: GuidanceView,
        LetterKind.MAIL_REFUSED: MailRefusedView,
        LetterKind.REMINDER: ReminderView,
        LetterKind.TICKET_EXPIRED: TicketExpiredView,
        LetterKind.TICKET_READY: TicketReadyView,
        LetterKind.REQUESTER_REPLIED: RequesterRepliedView,
        LetterKind.REPLY_REFUSED: ReplyRefusedView,
        LetterKind.TRANSCRIPT: TranscriptView,
        LetterKind.CONFIRM_ORDERS: ConfirmOrdersView,
        LetterKind.SECTOR_BOOK: SectorBookView,
        LetterKind.SECTOR_REPLIED: SectorRepliedView,
        LetterKind.DELIVERY_FAILED: DeliveryFailedView,
        LetterKind.TICKET_STATUS: TicketStatusView,
        LetterKind.TICKET_LIST: TicketListView,
        LetterKind.TICKET_DETAILS: TicketDetailsView,
        LetterKind.HELP: HelpView,
        LetterKind.QUERY_NOT_ANSWERED: QueryNotAnsweredView,
        LetterKind.TICKET_WITHDRAWN: TicketWithdrawnView,
        LetterKind.TICKET_RECLASSIFIED: TicketReclassifiedView,
        LetterKind.REQUESTER_ACTED: RequesterActedView,
        LetterKind.CONTACT_CONFIRMATION: ContactConfirmationView,
        LetterKind.CONTACT_CHANGED: ContactChangedView,
        LetterKind.NOTICES_SUMMARY: NoticesSummaryView,
        LetterKind.ALERT_QUARANTINE: AlertQuarantineView,
        LetterKind.ALERT_SERVER_AWAY: AlertServerAwayView,
        LetterKind.ALERT_LOGIN_EXPIRES: AlertLoginExpiresView,
        LetterKind.ALERT_LETTERS_HELD: AlertLettersHeldView,
        LetterKind.ALERT_LETTERS_STUCK: AlertLettersStuckView,
    }
)
"""Which view model belongs to which letter."""
