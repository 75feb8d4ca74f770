"""Keep customers, and whose a ticket is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mailbot.adapters.storage.columns import CleanText, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", CleanText(10), nullable=False),
        sa.Column("first_name", CleanText(), nullable=False),
        sa.Column("last_name", CleanText(), nullable=False),
        sa.Column("cpf", CleanText(11), nullable=False),
        sa.Column("mobile", CleanText(15), nullable=False),
        sa.Column("company", CleanText(), nullable=False),
        sa.Column("cnpj", CleanText(14), nullable=False),
        sa.Column("corporate", sa.Boolean(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("language", CleanText(10), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    _partial("uq_customers_cpf", "customers", ["cpf"], "confirmed AND cpf <> ''", unique=True)
    _partial("uq_customers_cnpj", "customers", ["cnpj"], "confirmed AND cnpj <> ''", unique=True)
    _partial("ix_customers_mobile", "customers", ["mobile"], "mobile <> ''")
    op.create_table(
        "customer_addresses",
        sa.Column("address", CleanText(320), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        _to_customer("customer_addresses"),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_customer_addresses")),
    )
    op.create_index(op.f("ix_customer_addresses_customer_id"), "customer_addresses", ["customer_id"])
    op.create_table(
        "customer_contacts",
        sa.Column("customer_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("role", CleanText(20), nullable=False),
        _to_customer("customer_contacts"),
        _to_customer("customer_contacts", column="person_id"),
        sa.PrimaryKeyConstraint("customer_id", "person_id", name=op.f("pk_customer_contacts")),
    )
    op.create_index(op.f("ix_customer_contacts_person_id"), "customer_contacts", ["person_id"])
    op.create_table(
        "customer_contracts",
        sa.Column("key", CleanText(100), nullable=False),
        sa.Column("number", CleanText(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("property_address", CleanText(), nullable=False),
        sa.Column("kind", CleanText(100), nullable=False),
        _to_customer("customer_contracts"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_customer_contracts")),
    )
    op.create_index(op.f("ix_customer_contracts_customer_id"), "customer_contracts", ["customer_id"])
    op.create_table(
        "customer_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("actor", CleanText(320), nullable=False),
        sa.Column("kind", CleanText(40), nullable=False),
        sa.Column("field", CleanText(40), nullable=False),
        sa.Column("old", CleanText(), nullable=False),
        sa.Column("new", CleanText(), nullable=False),
        _to_customer("customer_events"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_events")),
    )
    op.create_index(op.f("ix_customer_events_customer_id"), "customer_events", ["customer_id"])
    op.create_table(
        "customer_words",
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("words", CleanText(), nullable=False),
        _to_customer("customer_words", column="person_id"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_customer_words")),
    )
    op.add_column("tickets", sa.Column("customer_id", sa.Integer(), nullable=True))
    op.add_column("tickets", sa.Column("customer", sa.JSON(), nullable=True))
    _partial("ix_tickets_customer_id", "tickets", ["customer_id"], "customer_id IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_tickets_customer_id", table_name="tickets")
    with op.batch_alter_table("tickets") as batch_op:
        batch_op.drop_column("customer")
        batch_op.drop_column("customer_id")
    for table in (
        "customer_words",
        "customer_events",
        "customer_contracts",
        "customer_contacts",
        "customer_addresses",
        "customers",
    ):
        op.drop_table(table)


def _to_customer(table: str, *, column: str = "customer_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["customers.id"], name=op.f(f"fk_{table}_{column}"))


def _partial(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
