"""How the page is served: behind a proxy by name and prefix, to slow visitors, with the environment's settings."""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
import uvicorn
from support.browser import WATCH, at_quarter, opened
from support.browsing import NAME
from support.live_client import Page
from support.live_server import get_missing_assets, served, view
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from sim.errors import BadInput
from sim.live.guard import Door, checked, is_ours
from sim.live.server import impatient

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
PROXY = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port} ssl; server_name {name};
    ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
    location /race/ {{
      proxy_pass {server}; proxy_http_version 1.1; proxy_set_header Host {host};
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Host $host;
    }}
  }}
}}
"""


@contextmanager
def nginx(folder, server, host):
    """nginx with TLS that hands /race/ to a server; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subject = ["-subj", f"/CN={NAME}", "-days", "2"]
    subprocess.run(["openssl", "req", "-x509", *key, *subject], check=True, capture_output=True)
    config = folder / "nginx.conf"
    config.write_text(PROXY.format(folder=folder, port=port, name=NAME, server=server, host=host))
    proxy = subprocess.Popen([NGINX, "-c", config])
    try:
        for _ in range(100):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        proxy.terminate()
        proxy.wait(20)


@pytest.mark.skipif(NGINX is None, reason="there is no nginx")
@pytest.mark.parametrize("way", ["the prefix left, the name passed on", "the prefix taken, the name not passed on"])
def test_behind_nginx_by_name_under_a_prefix_with_tls(chromium, tmp_path, way):
    get_missing_assets()
    with served("published-2020", "--allow", NAME, "--root-path", "/race") as (address, said):
        assert "/race/" in said
        kept = way.startswith("the prefix left")
        with nginx(tmp_path, address[:-1] if kept else address, "$host" if kept else "$proxy_host") as port:
            place = f"https://{NAME}:{port}/race/"
            with opened(chromium, place, "?seed=5", ignore_https_errors=True) as page:
                page.click("button:has-text('One quarter')")
                at_quarter(page, "2020-Q1")
                page.wait_for_function("location.search.includes('at=2020-Q1')")
                assert page.url.startswith(f"{place}{WATCH}?")
                page.reload()
                at_quarter(page, "2020-Q1")
                assert page.locator(".line-lost").count() == 0
            with pytest.raises(urllib.error.HTTPError, match="403"):
                through_proxy(port, Origin="https://example.org")


def through_proxy(port, **headers):
    context = ssl._create_unverified_context()
    asked = urllib.request.Request(f"https://127.0.0.1:{port}/race/", headers=headers)
    with urllib.request.urlopen(asked, context=context) as answer:
        return answer.status


def scope(host, origin=None, path="/"):
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    return {"type": "http", "path": path, "query_string": b"", "headers": headers}


@pytest.mark.parametrize(
    ("names", "host", "origin", "right"),
    [
        ([NAME], NAME, None, True),
        ([NAME], NAME.upper(), f"https://{NAME}", True),
        ([NAME], f"{NAME}:8443", f"https://{NAME}:8443", True),
        ([NAME], "127.0.0.1:8765", f"https://{NAME}", True),
        ([f"{NAME}:8443"], f"{NAME}:8443", f"https://{NAME}:8443", True),
        ([f"{NAME}:8443"], NAME, None, False),
        ([f"{NAME}:8443"], "127.0.0.1:1", f"https://{NAME}", False),
        ([NAME], f"evil.{NAME}", None, False),
        ([NAME], f"{NAME}.evil.org", None, False),
        ([NAME], NAME, "https://evil.org", False),
        ([NAME], NAME, f"https://{NAME}.evil.org", False),
        ([NAME], NAME, f"https://{NAME}@evil.org", False),
        ([NAME], "evil.org", f"https://{NAME}", False),
        ([], NAME, None, False),
        ([], "127.0.0.1:8765", f"https://{NAME}", False),
    ],
)
def test_names_that_are_allowed_and_no_others(names, host, origin, right):
    assert is_ours(scope(host, origin), Door(names=names)) is right


@pytest.mark.parametrize(
    "name", ["", "https://race.example.org", "race.example.org/x", "*", "a b", "race.example.org:"]
)
def test_a_name_that_is_none_is_said(name):
    with pytest.raises(BadInput, match="--allow = .*: must be a name such as race.example.org"):
        checked("127.0.0.1", [name], "")


@pytest.mark.parametrize("prefix", ["race", "//", "/a//b", "/ä", "/../x y", "/<script>"])
def test_a_prefix_that_is_none_is_said(prefix):
    if prefix == "//":
        assert checked("127.0.0.1", [], prefix).prefix == ""
        return
    with pytest.raises(BadInput, match="--root-path = .*: must be the beginning of a path, such as /race"):
        checked("127.0.0.1", [], prefix)


def test_a_header_of_a_proxy_does_not_move_the_page_for_others(address):
    for header in ("Script-Name", "X-Script-Name", "X-Forwarded-Host"):
        asked = urllib.request.Request(address, headers={header: "/elsewhere"})
        with urllib.request.urlopen(asked) as answer:
            assert b"elsewhere" not in answer.read()
    with urllib.request.urlopen(address) as answer:
        assert b"elsewhere" not in answer.read()


STRANGE = [
    "%00",
    "a%00b",
    "%0a",
    "%7f",
    "%c2%80",
    "%ed%a0%80",
    "%ff",
    "a" * 300,
    "a" * 5000,
    "con",
    ".",
    "%2e",
    "/" * 99,
]
FOLDERS = ["", "static/", "static/assets/", "static/public/", "_solara/cdn/", "jupyter/nbextensions/", "jupyter/"]


def test_no_path_is_a_fault_of_the_server(address):
    for folder in FOLDERS:
        for path in STRANGE:
            assert status(f"{address}{folder}{path}") < 500, folder + path


def status(address):
    try:
        with urllib.request.urlopen(address) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        answer.close()
        return answer.code


def test_a_foreign_name_is_refused_with_and_without_others(address):
    for headers in ({"Host": NAME}, {"Origin": f"https://{NAME}"}):
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            Page(address, **headers)


# -- slow visitors


async def nothing(scope, receive, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] != "websocket.disconnect":
            if event["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": event["text"]})
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def impatient_server():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(nothing, http=impatient(0.4), log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()
    server.should_exit = True
    thread.join(10)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP",
    ],
    ids=["nothing", "half a head", "half a body", "a second half"],
)
def test_a_request_that_does_not_become_whole_is_ended(impatient_server, sent):
    with socket.create_connection(impatient_server, timeout=10) as visitor:
        visitor.sendall(sent)
        began = time.monotonic()
        while visitor.recv(1000):
            pass
        assert 0.2 < time.monotonic() - began < 3


def test_a_request_that_trickles_is_ended_and_a_whole_one_is_not(impatient_server):
    with socket.create_connection(impatient_server, timeout=10) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        began = time.monotonic()
        with pytest.raises(OSError, match=r"Broken pipe|reset"):
            trickle(slow, began + 5)
        assert time.monotonic() - began < 3
    with socket.create_connection(impatient_server, timeout=10) as quick:
        for _ in range(3):
            quick.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert quick.recv(1000).startswith(b"HTTP/1.1 200")
            time.sleep(0.25)


def test_a_websocket_stays_open(impatient_server):
    """A page that is looked at may say nothing for long."""
    host, port = impatient_server
    with connect(f"ws://{host}:{port}/") as page:
        for _ in range(3):
            time.sleep(0.5)
            page.send("still here")
            assert page.recv(5) == "still here"


def trickle(visitor, until):
    while time.monotonic() < until:
        visitor.sendall(b"a: b\r\n")
        time.sleep(0.05)


# -- the environment


@pytest.mark.parametrize(("given", "held"), [({}, "60s"), ({"SOLARA_KERNEL_CULL_TIMEOUT": "10m"}, "10m")])
def test_the_time_that_a_run_outlives_its_line_is_the_environment_s(given, held):
    read = "from sim.live.server import _application as a; a('historic', ''); from solara.server import settings as s"
    command = [sys.executable, "-c", f"{read}; print(s.kernel.cull_timeout)"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("SOLARA_")} | given
    assert subprocess.run(command, env=environment, capture_output=True, text=True).stdout == f"{held}\n"


def test_a_time_that_is_none_is_said():
    server = view("--port", "0", env={**os.environ, "SOLARA_KERNEL_CULL_TIMEOUT": "soon"})
    out, error = server.communicate(timeout=30)
    assert server.returncode == 2 and out == ""
    assert error == "SOLARA_KERNEL_CULL_TIMEOUT = 'soon': must be a time such as 60s, 10m or 1h\n"
