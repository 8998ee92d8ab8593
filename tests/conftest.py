"""Fixtures that every test may ask for, and how properties are tried."""

from hypothesis import HealthCheck, settings

# A plugin is listed before those that import it, so that its assertions are rewritten, too.
pytest_plugins = ["tests.support.collector", "tests.support.mongo", "tests.support.service", "tests.support.mesh"]

# A shared core may pause any example, or the making of ten of them, for longer than any limit.
settings.register_profile("shared_cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The same commit passes or fails alike wherever it is tested; what nobody thought of is looked for by `make explore`.
settings.register_profile("repeatable", settings.get_profile("shared_cores"), derandomize=True)
settings.register_profile("explore", settings.get_profile("shared_cores"), max_examples=1000)
settings.load_profile("repeatable")
