import time, os
from dataclasses import replace
from services.customer_info.hierarchy.store import HierarchyStore
from services.customer_info.hierarchy.usecases import HierarchyUseCases, When
from services.customer_info.history.store import History
from tests.support.fakes.customers import FakeCustomers
from tests.unit.services.customer_info.builders import NOON, later, new_uuid
from tests.unit.services.customer_info.trees import node, tree
from tests.integration.services.customer_info.conftest import *

async def test_measure(store, vault):
    s = HierarchyStore(store, vault, History(store))
    u = HierarchyUseCases(s, FakeCustomers())
    store._timeout = 100.0
    t = tree()
    await s.transact(lambda tx: s.insert_tree(tx, t))
    ids=[new_uuid() for _ in range(10000)]
    ws=[node(i, ids[(n-1)//10] if n else "") for n,i in enumerate(ids)]
    t0=time.perf_counter()
    for n in range(0,10000,1000):
        t1=time.perf_counter(); await u.add(t.id, ws[n:n+1000], When(), "", b""); print("add", n, time.perf_counter()-t1)
    aside=node(); await u.add(t.id,[aside],When(),"",b"")
    t1=time.perf_counter(); c=0
    async with s.snapshot() as seen:
        async for b in s.subtree(seen, t.id, (ids[0],), later(10**6)): c+=len(b)
    print("read", c, time.perf_counter()-t1)
    orig_change=s.change
    async def timed(tx, closed, opened, at, *h):
        t1=time.perf_counter()
        try:
            await orig_change(tx, closed, (), at); print("  close", time.perf_counter()-t1)
        except Exception as e:
            print("  ERR", repr(e)[:600]); raise RuntimeError("stop") from None
        t1=time.perf_counter(); await orig_change(tx, (), opened, at); print("  open", time.perf_counter()-t1)
        t1=time.perf_counter(); await orig_change(tx, (), (), at, *h); print("  events", time.perf_counter()-t1)
    s.change=timed
    ob=s.below
    async def below(*a):
        t1=time.perf_counter(); r=await ob(*a); print("  below", time.perf_counter()-t1); return r
    s.below=below
    for p in (aside.id,""):
        t1=time.perf_counter(); await u.move(t.id, ids[0], p, When()); print("move", time.perf_counter()-t1)
