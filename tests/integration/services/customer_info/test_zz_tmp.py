import time
from holdfast.customer_info.v1 import customers_pb2, portfolio_pb2 as pb
from holdfast.common.v1 import types_pb2
from tests.integration.services.customer_info.messages import new_uuid, person, product, product_batches, customer_batches, entered

import psutil
async def test_speed(service, portfolio, customers, loader, agent):
    people = [person(id=new_uuid()) for _ in range(2000)]
    await customers.ImportCustomers(customer_batches(people, 500), metadata=loader)
    def rows(n, kind):
        out = []
        for i in range(n):
            ids = []
            if kind == "circuit": ids = [pb.ServiceIdentifier(kind="circuit", value=f"C-{new_uuid()}")]
            if kind == "msisdn": ids = [pb.ServiceIdentifier(kind="msisdn", value=f"+4915{i:09}")]
            out.append(product(people[i % 2000].id, id=new_uuid(), identifiers=ids, term=pb.ContractTerm(months=24), characteristics=[types_pb2.Characteristic(name="technology", value="fiber"), types_pb2.Characteristic(name="speed_mbps", value="100")],
               history=[entered(pb.PRODUCT_STATUS_ORDERED,"2025-01-01"),entered(pb.PRODUCT_STATUS_ACTIVE,"2025-01-01")]))
        return out
    me = psutil.Process(service.child.pid)
    cpu = lambda: sum(sum(q.cpu_times()[:2]) for q in [me, *me.children(recursive=True)])
    for kind in ("none", "circuit", "msisdn", "none"):
        r = rows(8000, kind)
        t = time.perf_counter(); c = cpu()
        s = (await portfolio.ImportProducts(product_batches(r, 500), metadata=loader)).summary
        d = time.perf_counter() - t
        print(kind, s.created, s.failed, round(8000/d), "rows/s", round((cpu()-c)/8000*1e6), "us cpu/row")
        t = time.perf_counter(); c = cpu()
        s = (await portfolio.ImportProducts(product_batches(r, 500), metadata=loader)).summary
        d = time.perf_counter() - t
        print(kind, "again unchanged", s.unchanged, round(8000/d), "rows/s", round((cpu()-c)/8000*1e6), "us cpu/row")
