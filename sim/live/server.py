"""The server of the live page: Solara's routes in this process, its front-end files from disk, local visitors only."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import sys
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sim.errors import BadInput
from sim.live.assets import TEMPORARY, assets_folder, cache_folder, missing_assets
from sim.live.guard import LARGEST_MESSAGE, LOCAL, checked, guarded

CULL_TIMEOUT, CULL_DEFAULT = "SOLARA_KERNEL_CULL_TIMEOUT", "60s"  # how long a run outlives the line to its tab
REQUEST_SECONDS = 15.0  # for a request to be whole
DROPPED = ("/resourcez", "/_solara/api/evict/{kernel_id}")


def serve(config: str, port: int, host: str, allow: Sequence[str] = (), root_path: str = "") -> None:
    """Serve the page of a config at an address of this machine until interrupted. BadInput when it cannot be used.

    Behind a proxy, `allow` are the names that visitors ask for, and `root_path` is what paths begin with there.
    """
    door = checked(host, allow, root_path)
    _check_cull_timeout()
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
        application = _application(config, door.prefix)

    sys.setswitchinterval(0.001)  # a click must not wait long for a thread that computes
    # Solara warns of this on every page, and plain http is right on localhost
    warnings.filterwarnings("ignore", message="Cookies with samesite=none")
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            name = f"[{host}]" if ":" in host else host
            print(f"http://{name}:{port}{door.prefix}/ shows {config}. Ctrl-C ends it.", file=sys.stderr, flush=True)

    settings = uvicorn.Config(
        guarded(application, door),
        http=impatient(),
        log_level="error",
        timeout_graceful_shutdown=1,
        ws_max_size=LARGEST_MESSAGE,
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


def impatient(seconds: float = REQUEST_SECONDS) -> Any:
    """Uvicorn's protocol for http, which also ends a connection whose request is not whole after some seconds."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Impatient(H11Protocol):
        _end: asyncio.TimerHandle | None = None
        _is_over = False  # as http: closed, or a websocket by now

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._note_state()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._note_state()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._note_state()

        def handle_websocket_upgrade(self, event: Any) -> None:
            super().handle_websocket_upgrade(event)
            self._is_over = True

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._is_over = True
            self._note_state()

        def _note_state(self) -> None:
            waits = not self._is_over and self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
            if waits and self._end is None:
                self._end = self.loop.call_later(seconds, self.transport.close)
            elif not waits and self._end is not None:
                self._end.cancel()
                self._end = None

    return Impatient


def _check_cull_timeout() -> None:
    text = os.environ.get(CULL_TIMEOUT, CULL_DEFAULT)
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?[dhms]?", text, re.ASCII):
        raise BadInput(f"{CULL_TIMEOUT} = {text!r}: must be a time such as 60s, 10m or 1h")


def _application(config: str, prefix: str) -> Any:
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
        SOLARA_ROOT_PATH=prefix,
        SOLARA_BASE_URL=f"http://localhost{prefix}/",
        SOLARA_THEME_VARIANT="light",
        SOLARA_THEME_LOADER="plain",
        SOLARA_THEME_SHOW_BANNER="false",
        SOLARA_THEME_TITLE="Decoupling Race",
        SOLARA_HOME=str(cache_folder() / "solara"),
    )
    os.environ.setdefault(CULL_TIMEOUT, CULL_DEFAULT)
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
