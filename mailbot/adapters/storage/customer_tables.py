"""The tables of customers. Numbers are kept without punctuation, addresses in lower case."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, Table, text

from mailbot.adapters.storage.columns import CleanText, UtcDateTime, metadata

customers = Table(
    "customers",
    metadata,
    Column("id", Integer, primary_key=True),
    # A person's row never becomes a company's (R002-12).
    Column("kind", CleanText(10), nullable=False),
    Column("first_name", CleanText(), nullable=False, default=""),
    Column("last_name", CleanText(), nullable=False, default=""),
    Column("cpf", CleanText(11), nullable=False, default=""),
    Column("mobile", CleanText(15), nullable=False, default=""),
    Column("company", CleanText(), nullable=False, default=""),
    Column("cnpj", CleanText(14), nullable=False, default=""),
    Column("corporate", Boolean, nullable=False, default=False),
    Column("services", JSON, nullable=False),
    Column("language", CleanText(10), nullable=False, default=""),
    Column("confirmed", Boolean, nullable=False, default=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
# What nobody of the house has looked at may hold somebody else's number: it takes none from its bearer.
Index("uq_customers_cpf", customers.c.cpf, unique=True, sqlite_where=text("confirmed AND cpf <> ''"),
      postgresql_where=text("confirmed AND cpf <> ''"))  # fmt: skip
Index("uq_customers_cnpj", customers.c.cnpj, unique=True, sqlite_where=text("confirmed AND cnpj <> ''"),
      postgresql_where=text("confirmed AND cnpj <> ''"))  # fmt: skip
Index("ix_customers_mobile", customers.c.mobile, sqlite_where=text("mobile <> ''"),
      postgresql_where=text("mobile <> ''"))  # fmt: skip

customer_addresses = Table(
    "customer_addresses",
    metadata,
    Column("address", CleanText(320), primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("verified", Boolean, nullable=False),
)

customer_contacts = Table(
    "customer_contacts",
    metadata,
    Column("customer_id", ForeignKey("customers.id"), primary_key=True, autoincrement=False),
    Column("person_id", ForeignKey("customers.id"), primary_key=True, autoincrement=False, index=True),
    # The owner of a company's account is its contact person; nobody else's row stands for its own.
    Column("role", CleanText(20), nullable=False),
)

customer_contracts = Table(
    "customer_contracts",
    metadata,
    # Letters and digits only, so that it is found however it is written.
    Column("key", CleanText(100), primary_key=True),
    Column("number", CleanText(), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("property_address", CleanText(), nullable=False, default=""),
    Column("kind", CleanText(100), nullable=False, default=""),
)

customer_events = Table(
    "customer_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", CleanText(320), nullable=False),
    Column("kind", CleanText(40), nullable=False),
    Column("field", CleanText(40), nullable=False, default=""),
    Column("old", CleanText(), nullable=False, default=""),
    Column("new", CleanText(), nullable=False, default=""),
)

customer_words = Table(
    "customer_words",
    metadata,
    # All that a person can be found by, their companies' too, folded: narrow, for a search reads all of it.
    Column("person_id", ForeignKey("customers.id"), primary_key=True, autoincrement=False),
    Column("words", CleanText(), nullable=False),
)
