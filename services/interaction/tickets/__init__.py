"""Tickets: trouble tickets and change requests, with the states of TM Forum's TMF621."""
