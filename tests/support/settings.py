"""Settings for tests that stand on the chassis without a process of their own."""

from collections.abc import Mapping

from chassis.settings import PREFIX, Settings


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that a process with `environment` would have."""
    values = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items()}
    return Settings.model_validate(values)
