"""The server of the live page: Solara's routes in this process, its front-end files from disk, local visitors only."""

from __future__ import annotations

import os
import socket
import sys
import warnings
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sim.live.assets import assets_folder, cache_folder, missing_assets
from sim.vocabulary import BadInput

HOST = "127.0.0.1"
LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
DROPPED = ("/resourcez", "/_solara/api/evict/{kernel_id}")


def serve(config: str, port: int) -> None:
    """Serve the page of a config on localhost until interrupted. BadInput when the port is taken."""
    listener = _listen(port)
    port = listener.getsockname()[1]
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

    # Solara warns of this on every page, and plain http is right on localhost
    warnings.filterwarnings("ignore", message="Cookies with samesite=none")
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            print(f"http://{HOST}:{port}/ shows {config}. Ctrl-C ends it.", file=sys.stderr, flush=True)

    settings = uvicorn.Config(_local_only(application), log_level="error", timeout_graceful_shutdown=1)
    server = Server(settings)
    server.run(sockets=[listener])  # after closing its connections it raises the KeyboardInterrupt that ended it


def _listen(port: int) -> socket.socket:
    if not 0 <= port < 1 << 16:
        raise BadInput(f"--port = {port}: must be a whole number from 0 to 65535")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as fault:
        listener.close()
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
        SOLARA_ASSETS_FONTAWESOME_ENABLED="false",
        SOLARA_KERNEL_CULL_TIMEOUT="60s",
        SOLARA_THEME_VARIANT="light",
        SOLARA_THEME_LOADER="plain",
        SOLARA_THEME_SHOW_BANNER="false",
        SOLARA_THEME_TITLE="Decoupling Race",
        SOLARA_HOME=str(cache_folder() / "solara"),
    )
    from solara.server import starlette as solara_server
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles

    from sim.live import page

    page.opened_with(config)
    routes = []
    for route in solara_server.routes:
        path = getattr(route, "path", "")
        if path in DROPPED:
            continue
        if path == "/_solara/cdn":
            # Solara's own deletes a package's folder when asked for it without a file
            route = Mount("/_solara/cdn", app=StaticFiles(directory=assets_folder()))
        routes.append(route)
    return Starlette(routes=routes, lifespan=solara_server.lifespan, middleware=solara_server.middleware)


def _page_without_assets() -> Any:
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    text = (
        "<!doctype html><title>Decoupling Race</title><h1>Decoupling Race</h1><p>The page's front-end files are not "
        "on this machine. Stop the server, run <code>decoupling view --get-assets</code> once, and start it again."
    )
    return Starlette(routes=[Route("/{path:path}", lambda request: HTMLResponse(text, status_code=503))])


def _local_only(application: Any) -> Any:
    """Refuse what comes by another host name or from another web site, which could else reach into localhost."""

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or _is_local(scope):
            await application(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": b"This server answers its own page only.\n"})

    return guarded


def _is_local(scope: Any) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    if host.rpartition(":")[0] not in LOCAL_NAMES and host not in LOCAL_NAMES:
        return False
    origin = headers.get(b"origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return False
    closing = scope["path"].startswith("/_solara/api/close/")
    return not closing or "session_id" in parse_qs(scope["query_string"].decode("latin-1"))
