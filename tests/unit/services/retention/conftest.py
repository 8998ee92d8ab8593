"""How properties of retention are tried."""

from hypothesis import settings

# A shared core may pause any example for longer than any limit; what must be fast is measured in its own test.
settings.register_profile("retention", deadline=None)
settings.load_profile("retention")
