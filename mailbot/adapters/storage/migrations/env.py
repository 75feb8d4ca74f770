"""Alembic's entry: runs on the connection that ``migrate.py`` hands over."""

from __future__ import annotations

from alembic import context

from mailbot.adapters.storage.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    user_module_prefix="tables.",
)
with context.begin_transaction():
    context.run_migrations()
