"""Take everything from SQLite to PostgreSQL, and prove it. docs/databases.md"""
