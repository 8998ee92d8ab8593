"""A service that would never end by itself: one of its jobs does not let go."""

import asyncio

from chassis import serve
from chassis.app import App
from chassis.settings import Settings


async def build(app: App) -> None:
    """Adds the job to `app`."""

    async def held_up() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    app.background("held_up", held_up)


if __name__ == "__main__":
    serve.END_SECONDS = 0.5
    serve.run("stubborn", Settings, build)
