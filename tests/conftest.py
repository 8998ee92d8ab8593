"""Fixtures that every test may ask for."""

pytest_plugins = ["tests.support.mongo", "tests.support.service", "tests.support.mesh"]
