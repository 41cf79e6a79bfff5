"""The server of the live page: Solara's routes in this process, its front-end files from disk, local visitors only."""

from __future__ import annotations

import errno
import os
import socket
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sim.errors import BadInput
from sim.live.assets import TEMPORARY, assets_folder, cache_folder, missing_assets
from sim.live.guard import LARGEST_MESSAGE, LOCAL, guarded

DROPPED = ("/resourcez", "/_solara/api/evict/{kernel_id}")


def serve(config: str, port: int, host: str) -> None:
    """Serve the page of a config at an address of this machine until interrupted. BadInput when it cannot be used."""
    listener = _listen(host, port)
    port = listener.getsockname()[1]
    if host not in LOCAL:
        print(
            f"--host {host}: whoever reaches this machine on port {port} can open the page, without a password: run "
            "the model here, and see the names of configs and of the batches in results/. Nothing is encrypted.",
            file=sys.stderr,
        )
    if cache_folder().name.startswith(TEMPORARY):
        print(
            f"{cache_folder()} holds the page's front-end files, and only until the system clears it: no home folder "
            "can be written. XDG_CACHE_HOME names another one.",
            file=sys.stderr,
        )
    missing = missing_assets()
    if missing:
        print(
            f"{assets_folder()}: {len(missing)} front-end files are missing; get them once with "
            "`decoupling view --get-assets`. Until then the page says the same.",
            file=sys.stderr,
        )
        application = _page_without_assets()
    else:
        application = _application(config)

    sys.setswitchinterval(0.001)  # a click must not wait long for a thread that computes
    # Solara warns of this on every page, and plain http is right on localhost
    warnings.filterwarnings("ignore", message="Cookies with samesite=none")
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            name = f"[{host}]" if ":" in host else host
            print(f"http://{name}:{port}/ shows {config}. Ctrl-C ends it.", file=sys.stderr, flush=True)

    settings = uvicorn.Config(
        guarded(application, host), log_level="error", timeout_graceful_shutdown=1, ws_max_size=LARGEST_MESSAGE
    )
    server = Server(settings)
    server.run(sockets=[listener])  # after closing its connections it raises the KeyboardInterrupt that ended it


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port < 1 << 16:
        raise BadInput(f"--port = {port}: must be a whole number from 0 to 65535")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except (OSError, UnicodeError):
        raise BadInput(f"--host = {host!r}: is not an address of this machine; 0.0.0.0 means all of them") from None
    listener = socket.socket(family)
    if os.name == "posix":  # elsewhere it would take the port of another program
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as fault:
        listener.close()
        if fault.errno in (errno.EADDRNOTAVAIL, getattr(errno, "WSAEADDRNOTAVAIL", None)):
            raise BadInput(f"--host = {host!r}: is not an address of this machine; 0.0.0.0 means all of them") from None
        raise BadInput(
            f"--port = {port}: cannot be used ({fault.strerror}); name another one, or 0 for a free one"
        ) from None
    return listener


def _application(config: str) -> Any:
    # Solara reads these when it is first imported.
    os.environ.update(
        SOLARA_APP="sim.live.page",
        SOLARA_MODE="production",
        SOLARA_TELEMETRY_MIXPANEL_ENABLE="false",
        SOLARA_ASSETS_PROXY="true",
        SOLARA_ASSETS_PROXY_CACHE_DIR=str(assets_folder()),
        SOLARA_ASSETS_CDN="/_solara/missing/",
        SOLARA_ASSETS_EXTRA_LOCATIONS="sim.live.static",
        SOLARA_ASSETS_FONTAWESOME_ENABLED="false",
        SOLARA_KERNEL_CULL_TIMEOUT="60s",
        SOLARA_THEME_VARIANT="light",
        SOLARA_THEME_LOADER="plain",
        SOLARA_THEME_SHOW_BANNER="false",
        SOLARA_THEME_TITLE="Decoupling Race",
        SOLARA_HOME=str(cache_folder() / "solara"),
    )
    import jinja2
    from solara.server import server as solara_pages
    from solara.server import starlette as solara_server
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    from sim.live import page
    from sim.live.futures import DESK

    page.opened_with(config)
    templates = jinja2.FileSystemLoader([Path(__file__).parent / "templates", solara_pages.directory / "templates"])
    solara_pages.get_jinja_env = lambda app_name: jinja2.Environment(loader=templates, autoescape=True)  # type: ignore[assignment]
    routes = []
    for route in solara_server.routes:
        path = getattr(route, "path", "")
        if path in DROPPED:
            continue
        if path == "/_solara/cdn":
            # Solara's own deletes a package's folder when asked for it without a file
            route = Mount("/_solara/cdn", app=StaticFiles(directory=assets_folder()))
        routes.append(route)

    @asynccontextmanager
    async def lifespan(application: Any) -> AsyncIterator[None]:
        async with solara_server.lifespan(application):
            yield
        DESK.close()

    return Starlette(routes=routes, lifespan=lifespan, middleware=solara_server.middleware)


def _page_without_assets() -> Any:
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    text = (
        "<!doctype html><title>Decoupling Race</title><h1>Decoupling Race</h1><p>The page's front-end files are not "
        "on this machine. Stop the server, run <code>decoupling view --get-assets</code> once, and start it again."
    )
    return Starlette(routes=[Route("/{path:path}", lambda request: HTMLResponse(text, status_code=503))])
