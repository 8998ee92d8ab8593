"""Messages to measure with: of the size and shape that real ones have."""

import uuid
from typing import Any

import grpc
from google.protobuf.message import Message
from holdfast.customer_info.v1 import customers_pb2
from holdfast.interaction.v1 import interactions_pb2

from chassis.times import now, to_timestamp
from tests.support.service import Keys, Process

GIVEN = ("Ada", "Jürgen", "Chloé", "Mehmet", "Anna-Lena", "Siobhan", "Luca", "Agnieszka", "José", "Yasmin", "Tom")
SYLLABLES = (
    "ber",
    "kow",
    "lin",
    "mar",
    "ner",
    "ro",
    "sche",
    "tan",
    "vil",
    "wal",
    "zu",
    "bram",
    "dor",
    "fel",
    "gra",
    "h",
)
NOTE = "Called about the last bill: the discount of the first months has ended. Explained, offered the yearly term."


def customer(n: int) -> customers_pb2.Customer:
    """A person with two ways to reach them, two foreign ids and what billing knows."""
    message = customers_pb2.Customer(
        id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"bench {n}")),
        individual=customers_pb2.Individual(given_name="Ada", family_name=f"Example {n}"),
        language="en",
        since=to_timestamp(now()),
    )
    message.external_ids.add(issuer="billing", value=f"B{n:08d}")
    message.external_ids.add(issuer="crm-legacy", value=f"L{n:08d}")
    message.contact_media.add(kind=customers_pb2.ContactMedium.KIND_EMAIL, value=f"c{n}@example.com", preferred=True)
    message.contact_media.add(kind=customers_pb2.ContactMedium.KIND_PHONE, value=f"+49301{n:07d}")
    message.billing.payment_method = customers_pb2.PAYMENT_METHOD_CREDIT_CARD
    message.billed.monthly.currency_code, message.billed.monthly.micros = "EUR", 29_850_000
    for name in ("senior", "partner", "dependents"):
        message.characteristics.add(name=name, value="no")
    return message


def simple_customer(n: int) -> customers_pb2.Customer:
    """A person as a file of customers has them: a name, an address, a number, a foreign id."""
    message = customers_pb2.Customer(
        id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"bench simple {n}")),
        individual=customers_pb2.Individual(given_name=GIVEN[n % len(GIVEN)], family_name=_family(n)),
    )
    message.external_ids.add(issuer="billing", value=f"S{n:08d}")
    message.contact_media.add(kind=customers_pb2.ContactMedium.KIND_EMAIL, value=f"s{n}@example.com")
    message.contact_media.add(kind=customers_pb2.ContactMedium.KIND_PHONE, value=f"+49301{n:07d}")
    return message


def _family(n: int) -> str:
    """One of 65,536 family names, of three to four syllables and as many letters as most have."""
    syllables = [SYLLABLES[n >> shift & 15] for shift in (0, 4, 8, 12)]
    return "".join(syllables[: 3 + n % 2]).capitalize()


def interaction(customer_id: str) -> interactions_pb2.Interaction:
    """A call about a bill."""
    message = interactions_pb2.Interaction(
        customer_id=customer_id,
        channel=interactions_pb2.CHANNEL_CALL,
        direction=interactions_pb2.DIRECTION_INBOUND,
        stage=interactions_pb2.LIFE_STAGE_PAY,
        category="billing",
        note=NOTE,
        sentiment=-0.25,
        occur_time=to_timestamp(now()),
        duration_seconds=312,
    )
    message.participants.add(role="agent", id="a-1024")
    message.items.add(topic="bill", resolution="explained")
    return message


def call(process: Process, method: str, request: bytes, keys: Keys) -> bytes:
    """One unary call; the raw answer."""
    with grpc.insecure_channel(process.address) as channel:
        method_of: Any = channel.unary_unary(method)
        return bytes(method_of(request, metadata=keys.metadata("service")))


def load(process: Process, method: str, request: Message, keys: Keys) -> None:
    """One client-streaming call with one message."""
    with grpc.insecure_channel(process.address) as channel:
        method_of: Any = channel.stream_unary(method)
        method_of(iter([request.SerializeToString()]), metadata=keys.metadata("service"))
