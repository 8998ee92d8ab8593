"""One module for each group of commands; each exposes `register(app)` and imports what is heavy only when it runs."""
