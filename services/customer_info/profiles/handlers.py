"""`ProfilesService`: protobuf in, protobuf out."""

from typing import Any

from holdfast.customer_info.v1 import profiles_pb2 as pb
from holdfast.customer_info.v1 import profiles_pb2_grpc

from chassis.app import App
from services.customer_info.profiles import wire
from services.customer_info.profiles.usecases import ProfileUseCases


class ProfilesHandlers(profiles_pb2_grpc.ProfilesServiceServicer):
    """Translates between the contract and the use cases."""

    def __init__(self, usecases: ProfileUseCases) -> None:
        self._usecases = usecases

    async def GetProfile(self, request: pb.GetProfileRequest, _: Any) -> pb.GetProfileResponse:
        """Reads a profile."""
        return pb.GetProfileResponse(profile=wire.message(await self._usecases.get(request.customer_id)))

    async def UpdateProfile(self, request: pb.UpdateProfileRequest, _: Any) -> pb.UpdateProfileResponse:
        """Changes the fields of a mask."""
        names = wire.names(request.update_mask, request.profile)
        after = await self._usecases.update(wire.profile(request.profile), names, request.profile.etag)
        return pb.UpdateProfileResponse(profile=wire.message(after))

    async def GetPersonalisedView(
        self, request: pb.GetPersonalisedViewRequest, _: Any
    ) -> pb.GetPersonalisedViewResponse:
        """Shows how to deal with a customer now."""
        return wire.view_message(await self._usecases.view(request.customer_id))


def install(app: App, usecases: ProfileUseCases) -> None:
    """Serves the noun."""
    app.serve(
        profiles_pb2_grpc.add_ProfilesServiceServicer_to_server,
        ProfilesHandlers(usecases),
        pb.DESCRIPTOR.services_by_name["ProfilesService"],
    )
