"""`ResponsibilitiesService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.common.v1 import query_pb2
from holdfast.customer_info.v1 import responsibilities_pb2 as pb
from holdfast.customer_info.v1 import responsibilities_pb2_grpc

from chassis.app import App
from chassis.query.selection import DEFAULT_PAGE_SIZE, selection
from chassis.times import moment
from services.customer_info.responsibilities import paging_rules, wire
from services.customer_info.responsibilities.reading_usecases import Holders, ResponsibilityReading
from services.customer_info.responsibilities.usecases import ResponsibilityUseCases
from services.customer_info.wire import stamp

# A report is to be read: what is told is where gaps begin, and of those so many at a time.
MOST_GAPS = 1000


class ResponsibilitiesHandlers(responsibilities_pb2_grpc.ResponsibilitiesServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: ResponsibilityUseCases, reading: ResponsibilityReading) -> None:
        self._usecases = usecases
        self._reading = reading

    async def DefineResponsibility(
        self, request: pb.DefineResponsibilityRequest, _: Any
    ) -> pb.DefineResponsibilityResponse:
        """Makes or changes a responsibility."""
        wanted = request.responsibility
        after = await self._usecases.define(wire.definition(wanted), wanted.etag)
        return pb.DefineResponsibilityResponse(responsibility=wire.definition_message(after))

    async def ListResponsibilities(
        self, request: pb.ListResponsibilitiesRequest, _: Any
    ) -> pb.ListResponsibilitiesResponse:
        """Reads a page of responsibilities."""
        found, token = await self._usecases.listed(selection(request.query))
        return pb.ListResponsibilitiesResponse(
            responsibilities=[wire.definition_message(r) for r in found],
            page=query_pb2.PageResponse(next_page_token=token),
        )

    async def ListResponsibilityVersions(
        self, request: pb.ListResponsibilityVersionsRequest, _: Any
    ) -> pb.ListResponsibilityVersionsResponse:
        """Reads a page of what a responsibility was."""
        page = request.page
        made, token = await self._usecases.versions(request.name, page.page_size or DEFAULT_PAGE_SIZE, page.page_token)
        return pb.ListResponsibilityVersionsResponse(
            versions=[wire.version_message(m) for m in made], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def Assign(self, request: pb.AssignRequest, _: Any) -> pb.AssignResponse:
        """Gives a responsibility to somebody."""
        content = request.assignment.SerializeToString(deterministic=True)
        made = await self._usecases.assign(wire.wish(request.assignment), request.request_id, content)
        return pb.AssignResponse(assignment=wire.message(made))

    async def EndAssignment(self, request: pb.EndAssignmentRequest, _: Any) -> pb.EndAssignmentResponse:
        """Ends an assignment."""
        end = moment(request, "end", "end")
        after = await self._usecases.end(request.customer_id, request.assignment_id, end, request.etag)
        return pb.EndAssignmentResponse(assignment=wire.message(after))

    async def GetAssignment(self, request: pb.GetAssignmentRequest, _: Any) -> pb.GetAssignmentResponse:
        """Reads one assignment."""
        found = await self._usecases.get(request.customer_id, request.assignment_id)
        return pb.GetAssignmentResponse(assignment=wire.message(found))

    async def ListAssignments(self, request: pb.ListAssignmentsRequest, _: Any) -> pb.ListAssignmentsResponse:
        """Reads a page of assignments."""
        found, token = await self._usecases.page(request.customer_id, selection(request.query))
        return pb.ListAssignmentsResponse(
            assignments=[wire.message(a) for a in found], page=query_pb2.PageResponse(next_page_token=token)
        )

    async def WhoIs(self, request: pb.WhoIsRequest, _: Any) -> pb.WhoIsResponse:
        """Tells who has a responsibility at a node."""
        at = moment(request, "as_of", "as_of")
        answer, dependencies = await self._reading.who_is(
            request.customer_id, request.responsibility, request.node_id, at
        )
        return pb.WhoIsResponse(answer=_told(answer), dependencies=[_told(d) for d in dependencies])

    async def GapReport(self, request: pb.GapReportRequest, _: Any) -> pb.GapReportResponse:
        """Tells what is not looked after."""
        at = moment(request, "as_of", "as_of")
        page = request.page
        report = await self._reading.gap_report(request.customer_id, request.tree_id, at, page.page_token)
        told = wire.gaps_page(report.gaps, report.trees, page.page_size or MOST_GAPS)
        token = ""
        if len(told) < len(report.gaps):
            token = paging_rules.token(request.customer_id, request.tree_id, report.as_of, report.gaps[len(told) - 1])
        return pb.GapReportResponse(
            gaps=told,
            gap_count=report.count,
            node_count=report.nodes,
            as_of=stamp(report.as_of),
            page=query_pb2.PageResponse(next_page_token=token),
        )


def _told(found: Holders) -> pb.Holders:
    holders = [wire.holder_message(h.assignment, h.contact, h.standing) for h in found.holders]
    return wire.holders_message(found.responsibility, holders, found.place)


def install(app: App, usecases: ResponsibilityUseCases, reading: ResponsibilityReading) -> None:
    """Serves `ResponsibilitiesService`."""
    app.serve(
        responsibilities_pb2_grpc.add_ResponsibilitiesServiceServicer_to_server,
        ResponsibilitiesHandlers(usecases, reading),
        pb.DESCRIPTOR.services_by_name["ResponsibilitiesService"],
    )
