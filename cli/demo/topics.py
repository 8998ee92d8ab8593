"""What customers and the operator talk about: the catalogue of reasons, with what is noted of each."""

from dataclasses import dataclass
from typing import Final

from holdfast.interaction.v1.interactions_pb2 import Channel, Direction, LifeStage

CALL, STORE, WEB, APP = Channel.CHANNEL_CALL, Channel.CHANNEL_STORE, Channel.CHANNEL_WEB, Channel.CHANNEL_APP
CHAT, EMAIL, SOCIAL = Channel.CHANNEL_CHAT, Channel.CHANNEL_EMAIL, Channel.CHANNEL_SOCIAL
FIELD_VISIT, SYSTEM = Channel.CHANNEL_FIELD_VISIT, Channel.CHANNEL_SYSTEM
IN, OUT = Direction.DIRECTION_INBOUND, Direction.DIRECTION_OUTBOUND

TALK: Final = ((CALL, 50.0), (CHAT, 20.0), (EMAIL, 15.0), (STORE, 10.0), (SOCIAL, 5.0))
SELF: Final = ((APP, 60.0), (WEB, 40.0))
WRITTEN: Final = ((EMAIL, 60.0), (SYSTEM, 40.0))


@dataclass(frozen=True, slots=True)
class Topic:
    """A reason to talk. `mood` is the mean sentiment, None where nobody measures it; `minutes` how long it takes."""

    category: str
    stage: LifeStage.ValueType
    direction: Direction.ValueType
    channels: tuple[tuple[Channel.ValueType, float], ...]
    mood: float | None
    resolution: str
    notes: tuple[str, ...]
    minutes: float = 0.0
    complaint: bool = False


EVERYDAY: Final[tuple[tuple[Topic, float], ...]] = (
    (Topic("billing", LifeStage.LIFE_STAGE_PAY, IN, TALK, -0.05, "resolved", (
        "Asked what the one-off item on the last bill is; explained.",
        "Wants the bill on another day of the month; changed.",
        "Asked for copies of three bills; sent.",
    ), 6), 20),
    (Topic("self_service", LifeStage.LIFE_STAGE_USE, IN, SELF, None, "resolved", (
        "Looked up the data used this month.", "Downloaded a bill.", "Changed the Wi-Fi password.",
    )), 30),
    (Topic("upgrade", LifeStage.LIFE_STAGE_EVALUATE, IN, TALK, 0.25, "promised", (
        "Asked which speeds are to be had at the address; offer sent.",
        "Compares our mobile plan with a competitor's; will think it over.",
        "Asked whether a second line can be added.",
    ), 9), 10),
    (Topic("how_to", LifeStage.LIFE_STAGE_CARE, IN, TALK, 0.1, "resolved", (
        "Needed help with setting up the mailbox; done together.",
        "Asked how to forward calls; explained.",
        "New router: walked through the installation.",
    ), 12), 14),
    (Topic("contract", LifeStage.LIFE_STAGE_CARE, IN, TALK, 0.0, "resolved", (
        "Asked when the commitment ends.", "Change of the bank account; noted.", "Moves within the town; date booked.",
    ), 8), 8),
    (Topic("praise", LifeStage.LIFE_STAGE_CARE, IN, TALK, 0.8, "resolved", (
        "Thanked for the quick help last week.", "Happy with the speed since the upgrade.",
    ), 3), 3),
)  # fmt: skip
OUTBOUND: Final[tuple[tuple[Topic, float], ...]] = (
    (Topic("invoice", LifeStage.LIFE_STAGE_PAY, OUT, WRITTEN, None, "sent", ("Quarterly statement sent.",)), 60),
    (Topic("offer", LifeStage.LIFE_STAGE_EVALUATE, OUT, WRITTEN, None, "sent", ("Offer of more speed sent.",)), 25),
    (Topic("welcome_call", LifeStage.LIFE_STAGE_CARE, OUT, ((CALL, 1.0),), 0.2, "resolved", (
        "Asked whether all is well; it is.", "Asked whether all is well; the Wi-Fi could be better upstairs.",
    ), 4), 15),
)  # fmt: skip
COMPLAINTS: Final[tuple[tuple[Topic, float], ...]] = (
    (Topic("billing", LifeStage.LIFE_STAGE_PAY, IN, TALK, -0.65, "promised", (
        "Billed twice for the same month; credit promised.",
        "Price rose without a word, says the customer; explained the notice, not content.",
        "The credit promised last month is not on the bill.",
    ), 14, complaint=True), 40),
    (Topic("service_quality", LifeStage.LIFE_STAGE_ASSURE, IN, TALK, -0.7, "escalated", (
        "Speed far below what was sold, every evening.",
        "Third call about the same fault; wants to speak with a supervisor.",
        "Calls drop several times a day.",
    ), 17, complaint=True), 40),
    (Topic("waiting_time", LifeStage.LIFE_STAGE_CARE, IN, TALK, -0.6, "resolved", (
        "Waited forty minutes in the queue; apologised.",
        "The technician did not come in the agreed window; new date.",
    ), 11, complaint=True), 20),
)  # fmt: skip
FAULT: Final = Topic("fault", LifeStage.LIFE_STAGE_ASSURE, IN, TALK, -0.3, "escalated", (
    "Reported a fault; ticket opened.", "No connection since this morning; line tested, ticket opened.",
), 11)  # fmt: skip
FOLLOW_UP: Final = Topic("fault", LifeStage.LIFE_STAGE_ASSURE, IN, TALK, -0.55, "promised", (
    "Asked how far the ticket is; told what is known.", "Still without service; priority explained.",
), 7)  # fmt: skip
REPAIRED: Final = Topic("fault", LifeStage.LIFE_STAGE_ASSURE, OUT, ((SYSTEM, 50.0), (CALL, 30.0), (FIELD_VISIT, 20.0)),
                        None, "resolved", ("Fault repaired; customer informed.",), 3)  # fmt: skip
ORDERED: Final = Topic("order", LifeStage.LIFE_STAGE_ORDER, IN, ((WEB, 45.0), (STORE, 35.0), (CALL, 20.0)), 0.4,
                       "resolved", ("Ordered; contract summary handed over.",), 15)  # fmt: skip
ACTIVATED: Final = Topic("activation", LifeStage.LIFE_STAGE_FULFIL, OUT, ((SYSTEM, 70.0), (FIELD_VISIT, 30.0)), None,
                         "resolved", ("Service is active.",))  # fmt: skip
LEFT: Final = Topic("cancellation", LifeStage.LIFE_STAGE_LEAVE, IN, ((CALL, 55.0), (EMAIL, 30.0), (STORE, 15.0)), -0.4,
                    "resolved", (
    "Gave notice; a better offer elsewhere.", "Gave notice; had enough of the faults.", "Gave notice; moves abroad.",
), 10)  # fmt: skip

TROUBLES: Final = (
    ("internet", "fault", "No internet connection", "Router shows no sync. Line test points at the street cabinet."),
    ("internet", "speed", "Internet much slower than sold", "Measured well below the contract over a cable."),
    ("voice", "fault", "No dial tone", "Neither calls in nor out. Line test shows an open loop."),
    ("voice", "quality", "Crackling on the line", "Noise on all calls, worse when it rains."),
    ("mobile", "coverage", "Calls drop at home", "No indoor coverage since the works on the mast nearby."),
    ("mobile", "data", "Mobile data does not work", "Registered in the network, but no data session comes up."),
    ("streaming_tv", "quality", "TV picture freezes", "Freezes every few minutes on all channels."),
    ("", "billing", "Bill is wrong", "An item is billed that was cancelled in time."),
)  # fmt: skip
"""Product family it concerns, category, title, description."""
CHANGES: Final = (
    ("", "move", "Move of all services to another address", "Keep the numbers. Date of the move agreed."),
    ("voice", "change", "Another number on the line", "The customer wants a new number."),
    ("internet", "change", "Change of the speed", "Wants more speed from the first of the month."),
)
"""Product family it concerns, category, title, description."""
