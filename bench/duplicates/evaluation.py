"""Precision and recall of blocking and scoring together."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from bench.duplicates.labelled import Labelled, Pair
from services.customer_info.duplicates.profile_rules import Profile, profile
from services.customer_info.duplicates.rules import SAME, Comparison, Verdict, blocking_keys, compared


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rules made of a labelled set.

    `pairs` are those that share a blocking key. Recall counts the pairs that blocking missed among those not found.
    """

    records: int
    keys: float
    pairs: Mapping[Pair, Comparison]
    truth: Mapping[Pair, tuple[str, ...]]

    def found(self, score: float = SAME) -> set[Pair]:
        """Pairs that score at least so much."""
        return {pair for pair, comparison in self.pairs.items() if comparison.score >= score}

    def precision(self, score: float = SAME) -> float:
        """Of the pairs found, the share that are one customer."""
        found = self.found(score)
        return len(found & self.truth.keys()) / len(found) if found else 1.0

    def recall(self, score: float = SAME) -> float:
        """Of the pairs that are one customer, the share found."""
        return len(self.found(score) & self.truth.keys()) / len(self.truth)

    @property
    def blocked(self) -> float:
        """Of the pairs that are one customer, the share that share a key."""
        return len(self.pairs.keys() & self.truth.keys()) / len(self.truth)

    def by_kind(self) -> Iterator[tuple[str, int, float, float, float]]:
        """For each kind of corruption: pairs with it, and the shares blocked, possible or same, and same."""
        kinds = Counter(kind for kinds in self.truth.values() for kind in kinds or ("nothing",))
        for kind, count in sorted(kinds.items(), key=lambda k: -k[1]):
            pairs = [pair for pair, went in self.truth.items() if kind in (went or ("nothing",))]
            verdicts = [self.pairs[p].verdict for p in pairs if p in self.pairs]
            seen, same = (verdicts.count(v) / count for v in (Verdict.DIFFERENT, Verdict.SAME))
            yield kind, count, len(verdicts) / count, len(verdicts) / count - seen, same


def evaluate(labelled: Labelled, without: str = "") -> Outcome:
    """Blocks and scores; `without` are the families of keys to do without."""
    profiles = [profile(customer) for customer in labelled.customers]
    keys = [frozenset(k for k in blocking_keys(p) if k[0] not in without) for p in profiles]
    pairs = {pair: compared(profiles[pair[0]], profiles[pair[1]]) for pair in blocked(keys)}
    return Outcome(len(profiles), sum(map(len, keys)) / len(keys), pairs, labelled.truth)


def blocked(keys: Sequence[frozenset[str]]) -> set[Pair]:
    """The pairs of records that share a key."""
    blocks: defaultdict[str, list[int]] = defaultdict(list)
    for n, those in enumerate(keys):
        for key in those:
            blocks[key].append(n)
    return {pair for block in blocks.values() for pair in combinations(block, 2)}


def levels(labelled: Labelled, outcome: Outcome) -> Iterator[tuple[str, str, float, float]]:
    """Field, level, and its share among pairs that are one customer and among blocked pairs that are not."""
    profiles: dict[int, Profile] = {n: profile(labelled.customers[n]) for pair in labelled.truth for n in pair}
    same = Counter((p.field, p.code) for a, b in labelled.truth for p in compared(profiles[a], profiles[b]).parts)
    other = Counter(
        (p.field, p.code) for pair, c in outcome.pairs.items() if pair not in labelled.truth for p in c.parts
    )
    for field in dict.fromkeys(f for f, _ in (*same, *other)):
        counts = [sum(n for (f, _), n in kind.items() if f == field) or 1 for kind in (same, other)]
        for code in sorted({c for f, c in (*same, *other) if f == field}):
            yield field, code, same[field, code] / counts[0], other[field, code] / counts[1]
