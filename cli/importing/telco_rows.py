"""The columns of the IBM telco file, and what may stand in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

INTERNET: Final = {"DSL": "dsl", "Fiber optic": "fiber", "No": ""}
CONTRACTS: Final = {"Month-to-month": 0, "One year": 12, "Two year": 24}
PAYMENTS: Final = ("Electronic check", "Mailed check", "Bank transfer (automatic)", "Credit card (automatic)")
ADDONS: Final = {
    "OnlineSecurity": "online_security",
    "OnlineBackup": "online_backup",
    "DeviceProtection": "device_protection",
    "TechSupport": "tech_support",
    "StreamingTV": "streaming_tv",
    "StreamingMovies": "streaming_movies",
}
COLUMNS: Final = (
    "customerID", "SeniorCitizen", "Partner", "Dependents", "tenure", "PhoneService", "MultipleLines",
    "InternetService", *ADDONS, "Contract", "PaperlessBilling", "PaymentMethod", "MonthlyCharges", "TotalCharges",
    "Churn",
)  # fmt: skip
"""Columns that are read. `gender` is not: a protected characteristic that nothing here may decide by."""
LONGEST_TENURE: Final = 1_200
SHOWN: Final = 24
"""Characters of a bad value that an error repeats."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one cell; without a column, in the whole line."""

    line: int
    column: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.text}" if self.column else f"line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class TelcoRow:
    """One customer of the file. Amounts are exact; `blank_total` says that no total stood there."""

    line: int
    customer_id: str
    senior: bool
    partner: bool
    dependents: bool
    tenure: int
    phone: bool
    multiple_lines: bool
    technology: str
    addons: tuple[str, ...]
    term: int
    paperless: bool
    payment: str
    monthly: Decimal
    total: Decimal
    blank_total: bool
    churned: bool


class _Cells:
    """The cells of one line; what is wrong with them gathers in `problems`."""

    def __init__(self, line: int, cells: Mapping[str, str]) -> None:
        self.line = line
        self.problems: list[Problem] = []
        self._cells = cells

    def text(self, column: str) -> str:
        return self._cells[column].strip()

    def wrong(self, column: str, text: str) -> None:
        self.problems.append(Problem(self.line, column, text))

    def among(self, column: str, *known: str) -> str:
        value = self.text(column)
        if value not in known:
            self.wrong(column, f"must be one of {', '.join(known)}, not {_shown(value)}")
        return value

    def flag(self, column: str, yes: str = "Yes", no: str = "No") -> bool:
        return self.among(column, yes, no) == yes

    def dependent(self, column: str, without: str, has: bool) -> bool:
        """A flag that exists only beside a service; `without` is what stands there where the service is not."""
        value = self.among(column, "Yes", "No", without)
        if value == "Yes" and not has:
            self.wrong(column, f"must be {without}: the customer has no such service")
        return value == "Yes"

    def whole(self, column: str) -> int:
        value = self.text(column)
        if not (value.isascii() and value.isdecimal() and int(value) <= LONGEST_TENURE):
            self.wrong(column, f"must be a whole number from 0 to {LONGEST_TENURE}, not {_shown(value)}")
            return 0
        return int(value)

    def amount(self, column: str) -> Decimal:
        value = self.text(column)
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or not 0 <= amount < 10**9 or amount != round(amount, 6):
            self.wrong(column, f"must be an amount of at least 0, not {_shown(value)}")
            return Decimal(0)
        return amount


def parse(line: int, cells: Mapping[str, str]) -> TelcoRow | list[Problem]:
    """The row of a line, or everything that is wrong with it."""
    read = _Cells(line, cells)
    if not 0 < len(read.text("customerID")) <= 64:
        read.wrong("customerID", "must have 1 to 64 characters")
    tenure = read.whole("tenure")
    phone = read.flag("PhoneService")
    internet = read.among("InternetService", *INTERNET)
    blank = not read.text("TotalCharges")
    if blank and tenure > 0:
        read.wrong("TotalCharges", f"must not be blank at a tenure of {tenure}")
    row = TelcoRow(
        line=line,
        customer_id=read.text("customerID"),
        senior=read.flag("SeniorCitizen", "1", "0"),
        partner=read.flag("Partner"),
        dependents=read.flag("Dependents"),
        tenure=tenure,
        phone=phone,
        multiple_lines=read.dependent("MultipleLines", "No phone service", read.text("PhoneService") != "No"),
        technology=INTERNET.get(internet, ""),
        addons=tuple(
            family
            for column, family in ADDONS.items()
            if read.dependent(column, "No internet service", internet != "No")
        ),
        term=CONTRACTS.get(read.among("Contract", *CONTRACTS), 0),
        paperless=read.flag("PaperlessBilling"),
        payment=read.among("PaymentMethod", *PAYMENTS),
        monthly=read.amount("MonthlyCharges"),
        total=Decimal(0) if blank else read.amount("TotalCharges"),
        blank_total=blank,
        churned=read.flag("Churn"),
    )
    return read.problems or row


def _shown(value: str) -> str:
    if not value:
        return "blank"
    return repr(value if len(value) <= SHOWN else value[:SHOWN] + "…")
