"""Puts retention together: stores, use cases, handlers, and what runs beside them."""

import functools
from collections.abc import Sequence
from typing import cast

from google.protobuf.message import Message
from holdfast.retention.v1 import models_pb2, scores_pb2

from chassis import following
from chassis.app import App
from chassis.events import handlers as events_handlers
from chassis.events.lease import Lease
from chassis.events.listener import LISTENER_COLLECTIONS, Listener
from chassis.events.outbox import outbox_source
from chassis.lineage import LINEAGE, Lineage
from services.retention.features import facts_of_events
from services.retention.features import handlers as features_handlers
from services.retention.features.readings import Readings
from services.retention.features.store import FEATURES, OUTCOMES, FeatureStore
from services.retention.features.usecases import FeatureUseCases
from services.retention.models import handlers as models_handlers
from services.retention.models import trainer
from services.retention.models.champions import Champions
from services.retention.models.keys import signer
from services.retention.models.store import MODEL_KEYS, MODELS, ModelStore
from services.retention.models.usecases import ModelUseCases
from services.retention.privacy import handlers as privacy_handlers
from services.retention.privacy.usecases import Exporting
from services.retention.scores import handlers as scores_handlers
from services.retention.scores.rescoring import Rescoring
from services.retention.scores.store import SCORES, TOLD, ScoreStore
from services.retention.scores.usecases import ScoreUseCases
from services.retention.settings import RetentionSettings

COLLECTIONS = (FEATURES, OUTCOMES, SCORES, MODELS, MODEL_KEYS, LINEAGE, TOLD, *LISTENER_COLLECTIONS)
EVENTS = (scores_pb2.RiskBandChanged, models_pb2.ChampionChanged)


async def build(app: App) -> None:
    """Puts the service together."""
    settings = cast("RetentionSettings", app.settings)
    store = await app.store(settings.retention_mongo_uri, COLLECTIONS)
    models = ModelStore(store)
    signs = await signer(settings.model_key_file, models)
    champions = Champions(models, signs)
    lineage, kept, score_store = Lineage(store), FeatureStore(store), ScoreStore(store)
    readings = Readings(kept, lineage)
    scores = ScoreUseCases(score_store, readings, champions)
    features = FeatureUseCases(kept, lineage, scores)
    training = ModelUseCases(models, features, trainer.train, signs, settings.churn_horizon_months)
    # Who asks at once must not be told that there is no champion.
    await champions.refresh()
    features_handlers.install(app, readings, features)
    scores_handlers.install(app, scores)
    models_handlers.install(app, training, champions)
    privacy_handlers.install(app, Exporting(lineage, kept, score_store))
    events_handlers.install(app, store, [outbox_source(EVENTS)])
    app.background("champion", champions.follow)
    rescoring = Rescoring(score_store, readings, champions, scores)
    app.background("rescoring", functools.partial(Lease(store, "rescoring").run, rescoring.run))
    sources: Sequence[tuple[str, str, Sequence[type[Message]]]] = (
        ("customer_info", settings.customer_info_target, (*facts_of_events.CUSTOMER_INFO, *following.KINDS)),
        ("interaction", settings.interaction_target, facts_of_events.INTERACTION),
        ("sla", settings.sla_target, facts_of_events.SLA),
    )
    for name, target, kinds in sources:
        listener = Listener(name, store, await app.channel(target), kinds, features.apply)
        app.background(f"listen_{name}", listener.run)
