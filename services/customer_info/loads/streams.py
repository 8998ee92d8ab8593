"""The streams of bulk loads: part of the handlers' door.

A message is read and checked while the one before it is being written, and never more than these two are at hand: the
store is the brake of the caller. What a message did is kept in the transaction that wrote it, so that a stream that
breaks can be gone on with and counts every row once. Only where rows of a message were in another's way, and were
written in several transactions, a crash between them leaves some to be counted a second time, then as unchanged.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from google.protobuf.message import Message

from chassis.bulk import Outcome, refusal_of
from chassis.rules import Refusal
from chassis.tasks import end
from chassis.times import now
from services.customer_info.loading import Load as Loading
from services.customer_info.loading import Outcomes, in_row
from services.customer_info.loads import rules
from services.customer_info.loads.rules import Counts, Fault, Load
from services.customer_info.loads.usecases import LoadUseCases

M = TypeVar("M", bound=Message)
R = TypeVar("R")
# One is written, one is made ready.
AT_HAND = 2
# Rows that are checked before others get their turn: some milliseconds.
AT_ONCE = 64


class Request(Protocol):
    """A message of a bulk stream; its rows are in the field that the noun names."""

    load_id: str
    first_row: int


@dataclass(frozen=True)
class Kind(Generic[M, R]):
    """How the rows of one noun are loaded.

    `reader` is asked once a message for what makes of a checked row what `load` takes, or raises a `Refusal`; it raises
    one itself where the message says something of its rows that makes no sense. `needs` are the ids that have to be as
    they are when a row is looked at: its own first. `untold` are the paths, in a row, of parts of fields that a message
    does not tell of: there, nothing has to stand.
    """

    name: str
    rows: Callable[[Any], Sequence[M]]
    reader: Callable[[Any], Callable[[M], R]]
    needs: Callable[[R], Iterable[str]]
    load: Loading[R]
    untold: Callable[[Any], Collection[str]] = lambda _: ()


async def run(kind: Kind[M, R], loads: LoadUseCases, requests: AsyncIterator[Request]) -> Load:
    """Loads all rows of a stream; the load as it is then.

    Raises:
        Invalid: the load is not the caller's or has other rows or more, or a message leaves rows out or names a field
            that there is not.
        Overtaken: another stream goes on with the load.
    """
    stream: _Stream[M, R] | None = None
    at_hand: deque[asyncio.Task[None]] = deque()
    try:
        async for request in requests:
            if stream is None:
                stream = _Stream(kind, loads, await loads.begin(request.load_id, kind.name))
            at_hand.append(stream.take(request))
            if len(at_hand) == AT_HAND:
                await at_hand.popleft()
        while at_hand:
            await at_hand.popleft()
    finally:
        await end(at_hand)
    if stream is None:
        return Load("", kind.name)
    stream.check_end()
    await loads.complete(stream.load)
    return stream.load


class _Stream(Generic[M, R]):
    """One stream: where its load is, and what is at hand of it."""

    def __init__(self, kind: Kind[M, R], loads: LoadUseCases, load: Load) -> None:
        self.kind = kind
        self.loads = loads
        self.load = load
        self._taken = 0
        # What stands for the first `_read` rows of the load, one after the other, whatever messages they come in.
        self._digest, self._read, self._begun = b"", 0, load
        self._last: _Batch[M, R] | None = None

    def take(self, request: Request) -> "asyncio.Task[None]":
        """Begins with a message.

        Raises:
            Invalid: it belongs to another load, has other rows than before, leaves rows out, or names a field that
                there is not.
        """
        rules.check_same(self.load, request.load_id)
        done = max(self._taken, self.load.position)
        first = request.first_row or self._taken + 1
        rules.check_follows(first, done)
        rows, convert = self.kind.rows(request), self.kind.reader(request)
        self._check_rows(first, rows)
        self._taken = max(self._taken, first + len(rows) - 1)
        untold = self.kind.untold(request)
        self._last = _Batch(self, rows[done + 1 - first :], done + 1, convert, self._last, untold=untold)
        return self._last.task

    def _check_rows(self, first: int, rows: Sequence[M]) -> None:
        """Passes rows that were done before when they are the same; reads on what stands for all of them.

        Raises:
            Invalid: they are other ones.
        """
        if not self.load.id:
            return
        if first > self._read + 1:
            # Who begins later does not show what came before.
            self._digest, self._read = self._begun.digest, self._begun.position
        for message in rows[max(self._read + 1 - first, 0) :]:
            self._digest = self.loads.fingerprint(self._digest + message.SerializeToString(deterministic=True))
            self._read += 1
            if self._read == self._begun.position:
                rules.check_same_rows(self._begun, self._digest)

    def check_end(self) -> None:
        """Passes when the stream may end here: what it has shown of the rows done before is known to be the same.

        Raises:
            Invalid: it ends before it has shown all of them.
        """
        rules.check_all_shown(self._begun, self._read)

    @property
    def digest(self) -> bytes:
        """What stands for all rows that were taken."""
        return self._digest


class _Batch(Generic[M, R]):
    """The rows of one message that are not done yet; `first` is the number of the first of them."""

    def __init__(
        self,
        stream: _Stream[M, R],
        rows: Sequence[M],
        first: int,
        convert: Callable[[M], R],
        before: "_Batch[M, R] | None",
        *,
        untold: Collection[str],
    ) -> None:
        self._stream = stream
        self._rows = rows
        self._first = first
        self._convert = convert
        self._untold = untold
        self._digest = stream.digest
        self._before = before
        self._writes: set[str] = set()
        self._checked = asyncio.Event()
        self._good: list[R] = []
        self._refusals: list[Refusal | None] = []
        self._after: Load | None = None
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        await self._check()
        await self._apart()
        outcomes = await self._stream.kind.load(self._good, self) if self._good else []
        if self._after is None and self._refusals:
            await self.turn()
            await self.note(None, outcomes)
        self._stream.load = self._after or self._stream.load
        self._before = None

    async def _check(self) -> None:
        """Checks and converts each row by itself."""
        for n, message in enumerate(self._rows):
            if n % AT_ONCE == 0:
                await asyncio.sleep(0)
            refusal = refusal_of(message, needs_id=True, may_lack=self._untold)
            if refusal is None:
                try:
                    self._good.append(self._convert(message))
                except Refusal as wrong:
                    refusal = wrong
            self._refusals.append(refusal)
        self._rows = ()

    async def _apart(self) -> None:
        """Waits for the message before where it writes what this one has to look at."""
        needs = {row_id for row in self._good for row_id in self._stream.kind.needs(row)}
        self._writes = {next(iter(self._stream.kind.needs(row))) for row in self._good}
        self._checked.set()
        if self._before is not None:
            await self._before.written(needs)

    async def written(self, ids: set[str]) -> None:
        """Waits until this batch is done, if it writes any of `ids`."""
        await self._checked.wait()
        if not self._writes.isdisjoint(ids):
            await asyncio.shield(self.task)

    async def turn(self) -> None:
        """See `Keep`. Who asks for it begins to write, or begins anew."""
        self._after = None
        if self._before is not None:
            await asyncio.shield(self._before.task)

    async def note(self, transaction: Any, outcomes: Outcomes) -> None:
        """See `Keep`. A transaction may run more than once: nothing here remembers the time before."""
        counts, faults = self._told(outcomes)
        before = self._stream.load
        after = rules.moved_on(before, len(self._refusals), counts, faults, now(), digest=self._digest)
        await self._stream.loads.move(transaction, before, after, faults)
        self._after = after

    def _told(self, outcomes: Outcomes) -> tuple[Counts, list[Fault]]:
        loaded = iter(outcomes)
        all_of = [refusal or next(loaded) for refusal in self._refusals]
        found = {outcome: all_of.count(outcome) for outcome in Outcome}
        faults = [
            Fault(self._first + n, one.reason, in_row(one).field or "", one.message)
            for n, one in enumerate(all_of)
            if isinstance(one, Refusal)
        ]
        counts = Counts(found[Outcome.CREATED], found[Outcome.UPDATED], found[Outcome.UNCHANGED], len(faults))
        return counts, faults
