"""How properties of interaction are tried."""

from hypothesis import settings

# A shared core may pause any example for longer than any limit.
settings.register_profile("interaction", deadline=None)
settings.load_profile("interaction")
