"""A service being put together: what it serves, what runs beside it, what is closed when it ends."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from chassis.auth.own import OwnToken
from chassis.chain import Capture, Chain, Registrar
from chassis.channels import Channel, connect
from chassis.interceptors.base import Interceptor
from chassis.mongo.abandoned import keep_clear
from chassis.mongo.client import Store, open_store
from chassis.mongo.schema import Collection
from chassis.policy import methods
from chassis.settings import Settings
from chassis.vault.keys import VAULT_COLLECTIONS
from chassis.vault.master import open_master_key
from chassis.vault.vault import Vault, open_vault

Job = Callable[[], Awaitable[None]]


@dataclass
class App:
    """What a service's `build` fills: stores, handlers, background jobs."""

    name: str
    settings: Settings
    interceptors: Sequence[Interceptor]
    resources: contextlib.AsyncExitStack
    own_token: OwnToken
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = field(default_factory=dict)
    services: list[str] = field(default_factory=list)
    jobs: list[tuple[str, Job]] = field(default_factory=list)

    def serve(self, register: Registrar, servicer: object, descriptor: ServiceDescriptor) -> None:
        """Serves `servicer`: `register` is the generated `add_…_to_server`, `descriptor` the service's own.

        Raises:
            PolicyError: a method has no policy.
            LookupError: a method has no handler.
        """
        capture = Capture()
        register(servicer, capture)
        for method in methods(descriptor):
            generated = capture.handlers[method.path]
            behaviour = getattr(servicer, method.path.rpartition("/")[2])
            if method.path.rpartition("/")[2] not in _own_methods(servicer):
                raise LookupError(f"{type(servicer).__name__} has no handler for {method.path}")
            chain = Chain(self.interceptors, method, behaviour)
            assert generated.response_serializer is not None, "generated handlers have one"
            self.handlers[method.path] = chain.handler(generated.response_serializer)
        self.services.append(descriptor.full_name)

    async def store(self, uri: str, collections: Sequence[Collection]) -> Store:
        """Opens the store at `uri` and brings its schema up to `collections`; closed when the service ends."""
        store = await self._opened(uri, collections)
        self.background("abandoned_transactions", functools.partial(keep_clear, store))
        return store

    async def vault(self, uri: str, master_key: str, former_master_key: str, token_file: str) -> Vault:
        """Opens the vault whose keys are in the store at `uri`, under the master key at `master_key`.

        What the master key at `former_master_key`, if any, has wrapped is wrapped anew.

        Raises:
            StoreError, MasterKeyError: it cannot be opened.
        """
        master = open_master_key(master_key, token_file)
        former = open_master_key(former_master_key, token_file) if former_master_key else None
        # Keys are written one by one: there is no transaction that could be abandoned.
        return await open_vault(await self._opened(uri, VAULT_COLLECTIONS), master, former)

    async def channel(self, target: str) -> Channel:
        """A channel to the service at `target` that carries deadlines, traces and tokens; closed when this one ends."""
        channel = connect(target, self.own_token)
        self.resources.push_async_callback(channel.close)
        return channel

    def background(self, name: str, job: Job) -> None:
        """Runs `job` for as long as the service does; it is started anew, after a pause, when it ends or fails."""
        self.jobs.append((name, job))

    async def _opened(self, uri: str, collections: Sequence[Collection]) -> Store:
        store = await open_store(uri, self.settings, self.name)
        self.resources.push_async_callback(store.close)
        await store.ensure(collections)
        return store


def _own_methods(servicer: object) -> set[str]:
    """Names defined below the generated base class, whose methods only say UNIMPLEMENTED."""
    return {name for kind in type(servicer).__mro__ if not kind.__name__.endswith("Servicer") for name in vars(kind)}
