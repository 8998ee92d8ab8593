"""What is told of accounts and of requests about them: nothing that anybody wrote."""

from holdfast.customer_info.v1 import accounts_pb2 as pb

from chassis.events.outbox import Happening
from services.customer_info.accounts import wire
from services.customer_info.accounts.request_rules import Request
from services.customer_info.accounts.rules import Account


def changed_event(account: Account) -> Happening:
    """Tells that an account was set up, changed or closed."""
    data = pb.AccountChanged(account=wire.facts(account))
    return Happening(account.id, account.version, data, account.update_time, account.customer_id)


def asked_event(request: Request) -> Happening:
    """Tells that somebody asks for a decision."""
    return _event(request, pb.AccountRequested(request=wire.request_facts(request)))


def decided_event(request: Request) -> Happening:
    """Tells what became of a request."""
    return _event(request, pb.AccountRequestDecided(request=wire.request_facts(request)))


def _event(request: Request, data: pb.AccountRequested | pb.AccountRequestDecided) -> Happening:
    return Happening(request.id, request.version, data, request.update_time, request.customer_id)
