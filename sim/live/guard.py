"""Who may talk to the live page's server, and what a page may say to it.

Solara checks neither, and its widgets obey messages that make objects of any class by name. So only what this
project's page sends is let through.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

LOCAL = ("127.0.0.1", "localhost", "::1")
LARGEST_MESSAGE = 1 << 20  # bytes of a message from a page; its commands have hundreds
EVENTS = ("command", "drawn", "request")  # what the page's parts call on the server


def guarded(application: Any, host: str) -> Any:
    """Refuse what comes by another host name or from another web site, which could otherwise reach this machine."""

    async def guard(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket" and is_ours(scope, host) and _may_join(scope):
            await application(scope, _only_understood(receive), send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "lifespan" or is_ours(scope, host):
            await application(scope, receive, send)
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": b"This server answers its own page only.\n"})

    return guard


def is_ours(scope: Any, host: str) -> bool:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    asked = headers.get(b"host", "")
    if not _may_be_asked_for(asked, host):
        return False
    origin = headers.get(b"origin")
    if origin is not None and urlsplit(origin).netloc != asked:
        return False
    closing = scope["path"].startswith("/_solara/api/close/")
    return not closing or "session_id" in parse_qs(scope["query_string"].decode("latin-1"))


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
