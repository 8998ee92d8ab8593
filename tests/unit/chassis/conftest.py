"""How properties of the chassis are tried."""

from hypothesis import settings

# A shared core may pause any example for longer than any limit; what must be fast is measured in its own test.
settings.register_profile("chassis", deadline=None)
settings.load_profile("chassis")
