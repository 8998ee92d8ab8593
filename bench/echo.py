"""The floor of every call: a bare grpc.aio server that parses a message and sends it back, and does nothing else.

    python -m bench.echo ADDRESS MESSAGE

MESSAGE is `module:Name`, such as `holdfast.customer_info.v1.customers_pb2:GetCustomerResponse`.
"""

import asyncio
import importlib
import signal
import sys
from typing import Any

import grpc

METHOD = "/bench.Echo/Echo"


async def main(address: str, message: str) -> None:
    """Serves until SIGTERM."""
    module, _, name = message.partition(":")
    kind = getattr(importlib.import_module(module), name)

    async def echo(request: Any, _: Any) -> Any:
        return request

    handler = grpc.unary_unary_rpc_method_handler(echo, kind.FromString, kind.SerializeToString)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", {"Echo": handler}),))
    server.add_insecure_port(address)
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(0.1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
