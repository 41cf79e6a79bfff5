"""Who may talk to the live page's server, and what a page may say to it.

Solara checks neither, and its widgets obey messages that make objects of any class by name. So only what this
project's page sends is let through.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sim.errors import BadInput

ALIVE = "/alive"
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?", re.ASCII)
PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)
OF_PROXIES = (b"script-name", b"x-script-name", b"x-forwarded-host")
LOCAL = ("127.0.0.1", "localhost", "::1")
LARGEST_MESSAGE = 1 << 20  # bytes of a message from a page; its commands have hundreds
EVENTS = ("command", "drawn", "request")  # what the page's parts call on the server


@dataclass(frozen=True)
class Door:
    """Where a server is reached: the address it is bound to, and, behind a proxy, names and a prefix of its paths.

    A name may have a port, such as race.example.org:8443; without one it is right on every port.
    """

    host: str = "127.0.0.1"
    names: Sequence[str] = ()
    prefix: str = ""


def checked(host: str, names: Sequence[str], prefix: str) -> Door:
    """BadInput for a name or a prefix that no request can have."""
    for name in names:
        if not NAME.fullmatch(name):
            raise BadInput(f"--allow = {name!r}: must be a name such as race.example.org, or one with its port")
    prefix = prefix.rstrip("/")
    if not PREFIX.fullmatch(prefix):
        raise BadInput(f"--root-path = {prefix!r}: must be the beginning of a path, such as /race")
    return Door(host, tuple(name.lower() for name in names), prefix)


def guarded(application: Any, door: Door) -> Any:
    """Refuse what comes by another host name or from another web site, which could otherwise reach this machine."""

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await application(scope, receive, send)
            return
        scope = _without_prefix(scope, door.prefix)
        if scope["type"] == "websocket" and is_ours(scope, door) and _may_join(scope):
            await application(scope, _only_understood(receive), send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif not is_ours(scope, door):
            await _answer(send, 403, b"This server answers its own page only.\n")
        elif scope["path"] == ALIVE:  # what a page asks to know that its line holds
            await _answer(send, 200, b"")
        elif not scope["path"].isprintable():
            await _answer(send, 404, b"There is no such path.\n")
        else:
            await application(scope, receive, send)

    return guard


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _without_prefix(scope: Any, prefix: str) -> Any:
    """The request as if there were no proxy, whether that leaves the prefix in the path or takes it out.

    Solara would take its root path, for all visitors, from a header that anybody can send.
    """
    scope = {**scope, "headers": [each for each in scope["headers"] if each[0] not in OF_PROXIES]}
    if prefix and f"{scope['path']}/".startswith(f"{prefix}/"):
        scope["path"] = scope["path"].removeprefix(prefix) or "/"
        scope["raw_path"] = scope.get("raw_path", b"").removeprefix(prefix.encode()) or b"/"
    return scope


def is_ours(scope: Any, door: Door) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    asked = headers.get(b"host", "")
    if not (_may_be_asked_for(asked, door.host) or _is_named(asked, door.names)):
        return False
    origin = headers.get(b"origin")
    if origin is not None and (site := urlsplit(origin).netloc) != asked and not _is_named(site, door.names):
        return False
    closing = scope["path"].startswith("/_solara/api/close/")
    return not closing or "session_id" in parse_qs(scope["query_string"].decode("latin-1"))


def _is_named(asked: str, names: Sequence[str]) -> bool:
    """Whether a Host header, or the site of an Origin, is one of the names, with its port where the name has one."""
    asked = asked.lower()
    return asked in names or asked.rpartition(":")[0] in names


def _may_be_asked_for(asked: str, host: str) -> bool:
    """Whether a Host header names this server.

    On localhost that is localhost. A server for others is known by its name, or by a bare address: a foreign web site
    can lead its own name to this machine, but not an address.
    """
    try:
        name = urlsplit(f"//{asked}").hostname
    except ValueError:
        return False
    if name in LOCAL:
        return True
    if host in LOCAL or name is None:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in (host.lower(), socket.gethostname().lower())
    return True


def _may_join(scope: Any) -> bool:
    """Whether a socket opens a new session of a tab or comes from that session's own visitor, by the cookie."""
    from solara.server import kernel_context, server
    from starlette.requests import HTTPConnection

    held = kernel_context.contexts.get(scope["path"].rstrip("/").split("/")[-2])
    return held is None or held.session_id == server.get_session_id_cookie(HTTPConnection(scope).cookies)


def _only_understood(receive: Any) -> Any:
    """Pass on what a page of this project sends over its socket, and nothing else."""

    async def take() -> Any:
        while True:
            event = await receive()
            if event["type"] != "websocket.receive":
                return event
            message = understood(event.get("text"))
            if message is not None:
                return {"type": "websocket.receive", "text": json.dumps(message)}

    return take


def understood(text: object) -> dict[str, Any] | None:
    """A page's message with only what the server reads of it; None for any other text."""
    try:
        message: Any = json.loads(text) if isinstance(text, str) else None
        kind, content = message["header"]["msg_type"], message["content"]
        header = {key: str(message["header"].get(key, "")) for key in ("msg_id", "msg_type", "session", "date")}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    read = _content(kind, content) if isinstance(content, dict) else None
    if read is None:
        return None
    empty: dict[str, Any] = {"parent_header": {}, "metadata": {}, "buffers": []}
    return {"channel": "shell", "header": header, "content": read, **empty}


def _content(kind: object, content: dict[str, Any]) -> dict[str, Any] | None:
    if kind in ("kernel_info_request", "comm_info_request"):
        return {}
    comm, data = content.get("comm_id"), content.get("data")
    if not isinstance(comm, str):
        return None
    if kind == "comm_open" and content.get("target_name") == "solara.control":
        return {"comm_id": comm, "target_name": "solara.control", "data": {}}
    if kind != "comm_msg" or not isinstance(data, dict):
        return None
    method = data.get("method")
    if method == "app-status":
        return {"comm_id": comm, "data": {"method": method}}
    if method == "run":
        path = data.get("args", {}).get("path", "") if isinstance(data.get("args"), dict) else ""
        arguments = {"path": str(path), "dark": False, "themes": {"light": {}, "dark": {}}, "appName": None}
        return {"comm_id": comm, "data": {"method": method, "args": arguments}}
    event = data.get("content")
    if method == "custom" and isinstance(event, dict) and event.get("event") in EVENTS:
        return {
            "comm_id": comm,
            "data": {"method": method, "content": {key: event.get(key) for key in ("event", "data")}},
        }
    return None
