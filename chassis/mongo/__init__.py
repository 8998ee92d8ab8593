"""The store: one way to open it, to change it in a transaction, to declare its schema, and to read it page by page."""
