"""Clocks that judge a promise from the event log of a ticket or an order."""
