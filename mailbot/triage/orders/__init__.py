"""What staff words do: ``(DirectiveBlock, Ticket, OrderDesk) -> OrderPlan``, all of a mail's orders or none. Pure.

``plan.py`` keeps the order; one module a group of words, one function a word.
"""
