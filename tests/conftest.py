"""Fixtures that every test may ask for."""

# A plugin is listed before those that import it, so that its assertions are rewritten, too.
pytest_plugins = ["tests.support.collector", "tests.support.mongo", "tests.support.service", "tests.support.mesh"]
