"""A row of the table of measurements."""

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Result:
    """A path beside its floor.

    `figure` and `floor` are in `unit`; `ratio` is figure / floor, and has to be at most (or at least) `bound`.
    """

    path: str
    unit: str
    figure: float
    floor: float
    sense: Literal["<=", ">="]
    limit: float

    @property
    def ratio(self) -> float:
        """Figure over floor."""
        return self.figure / self.floor

    @property
    def holds(self) -> bool:
        """Whether the ratio keeps the bound."""
        return self.ratio <= self.limit if self.sense == "<=" else self.ratio >= self.limit

    def document(self) -> dict[str, Any]:
        """As it goes into `latest.json`."""
        return {
            **{k: v for k, v in asdict(self).items() if k in ("path", "unit", "figure", "floor")},
            "ratio": self.ratio,
            "bound": f"{self.sense} {self.limit:g}",
            "holds": self.holds,
        }
