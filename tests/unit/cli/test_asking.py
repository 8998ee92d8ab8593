"""What commands on one customer have in common."""

import asyncio
from typing import Any, cast

import pytest
from holdfast.customer_info.v1.responsibilities_pb2 import Gap, GapReportRequest, GapReportResponse

from cli.asking import moment
from cli.asking_gaps import gap_report
from cli.client import Client
from cli.console import CommandError


def test_a_time_is_read_as_utc_unless_it_says_otherwise() -> None:
    for text, iso in (("2026-03-14", "2026-03-14T00:00:00Z"), ("2026-03-14T12:00+05:00", "2026-03-14T07:00:00Z")):
        read = moment(text, "--as-of")
        assert read is not None
        assert read.ToJsonString() == iso
    assert moment(None, "--as-of") is None


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "0001-01-01T00:00+05:00", "9999-12-31T23:59-05:00"])
def test_what_is_no_time_is_refused_by_its_option(text: str) -> None:
    with pytest.raises(CommandError) as refused:
        moment(text, "--as-of")
    assert "--as-of must be a day or a time" in str(refused.value)
    assert refused.value.exit_code == 2


class PagedReport:
    """A client whose gap report comes in pages of one gap; `asked` keeps the tokens."""

    metadata: tuple[tuple[str, str], ...] = ()

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked: list[str] = []
        self.responsibilities = self

    async def GapReport(self, request: GapReportRequest, **_: Any) -> GapReportResponse:
        self.asked.append(request.page.page_token)
        n = int(request.page.page_token or 0)
        answer = GapReportResponse(gaps=[Gap(responsibility=self.names[n])], gap_count=len(self.names))
        if n + 1 < len(self.names):
            answer.page.next_page_token = str(n + 1)
        return answer


def test_a_gap_report_is_read_to_its_last_page() -> None:
    client = PagedReport("a", "b", "c")
    report = asyncio.run(gap_report(cast("Client", client), "customer", None))
    assert [gap.responsibility for gap in report.gaps] == ["a", "b", "c"]
    assert (report.gap_count, client.asked) == (3, ["", "1", "2"])
