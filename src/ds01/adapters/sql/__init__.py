"""The ledger in SQL: SQLite by default, through SQLAlchemy Core; the only place that knows either."""
