"""What the state of a customer forbids. Pure."""

from chassis.rules import Invalid, Refused
from services.customer_info.customers.rules import Customer, Status


def check_same_status(customer: Customer, status: Status) -> None:
    """Passes when an update that tells of a status tells of the one there is.

    Raises:
        Invalid: it tells of another one, which only `ChangeCustomerStatus` can give it.
    """
    if status is not customer.status:
        raise Invalid("an update changes no status: ChangeCustomerStatus does", field="customer.status")


def check_kept(customer: Customer) -> None:
    """Passes when what is known of the customer may be changed: what is in the archive stays as it is.

    Raises:
        Refused: it is archived; as closed it can be changed again.
    """
    if customer.status is Status.ARCHIVED:
        raise Refused(
            "an archived customer stays as it is: change its status to closed first",
            metadata={"state": customer.status},
        )
