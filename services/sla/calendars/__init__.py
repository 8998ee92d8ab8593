"""When time counts: opening hours, holidays and time zones."""
