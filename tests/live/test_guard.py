"""Bad values through the page's orders, its address and its socket, and who may talk to the server at all."""

import json
import math
import os
import socket
import urllib.error
import urllib.request

import pytest
from support.live_client import Page
from support.live_server import served, view
from support.live_session import Watcher
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from sim.futures.levers import described
from sim.live import link, own, session
from sim.live.assets import missing_assets
from sim.live.guard import Door, is_ours, understood
from sim.scenario.loading import load_config

# -- orders

NOT_NUMBERS = ["", " ", "much", "1e", "0x10", "None", "٣", "½", None, True, False, [], [0.5], {}, {"a": 1}, "1" * 5000]
NOT_FINITE = [math.nan, math.inf, -math.inf]
OUTSIDE = [-1, -1e-9, 1e18, -1e308]
WRONG = [*NOT_NUMBERS, *NOT_FINITE, *OUTSIDE]
NASTY = [
    "../../etc/passwd",
    "/etc/passwd",
    "<script>alert(1)</script>",
    "'; DROP TABLE runs; --",
    "\0",
    "\ud800",
    "${HOME}",
]
NUMBERS = [lever["key"] for lever in described(load_config("historic").world) if not lever["choices"]]
WORDS = [lever["key"] for lever in described(load_config("historic").world) if lever["choices"]]

BAD_ORDERS = [
    *({"do": "lever", "key": key, "value": value} for key in NUMBERS for value in WRONG),
    *({"do": "lever", "key": key, "value": value} for key in WORDS for value in [*NASTY, None, 1, [], {}]),
    *({"do": "lever", "key": key, "value": 1} for key in [*NASTY, "", None, 3, "demand.shock_sd", "base", "controls"]),
    *({"do": do} for do in [*NASTY, "", None, 5, [], {}, "fly", "stop it", "PLAY", "_begin", "__class__"]),
    *({"do": "speed", "value": value} for value in [*NASTY, None, 0, -1, 3, 1e9, True, [5], math.nan]),
    *(
        {"do": "jump", "value": value}
        for value in [*NASTY, None, 2019, 2037, -1, 2025.5, True, [2025], math.inf, 10**30]
    ),
    *(
        {"do": "announce", "by": "USA", "item": "wafers", "severity": s}
        for s in [*NOT_NUMBERS[:4], None, -0.1, 1.1, math.nan]
    ),
    *({"do": "announce", "by": by, "item": "wafers", "severity": 0.5} for by in [*NASTY, None, "CHN", "usa", 7]),
    *({"do": "announce", "by": "USA", "item": item, "severity": 0.5} for item in [*NASTY, None, "smic-chn-mature", 7]),
    *({"do": "lose fab", "firm": firm} for firm in [*NASTY, None, "all", "USA", 7, []]),
    *({"do": "show", "value": value} for value in [*NASTY, None, "B", "C", [], {}]),
    *({"do": "keep", "value": value} for value in ["B", None]),
    *({"do": "background", "value": value} for value in [*NASTY, "../../etc: passwd", ["x"], {"x": 1}]),
    *({"do": "write", "value": value} for value in [*NASTY, None, [], "../series"]),
    *({"do": "take back", "value": value} for value in [*NASTY, None, 0, [0], [-1], [True], [[0]], {}]),
    *({"do": do} for do in ["undo", "redo"]),
    *({"do": "open", "name": "x.toml", "text": text} for text in [*NASTY, None, 3, [], "", "purpose = 3", "a = [" * 9]),
    *(
        {"do": "open", "name": name, "text": f'purpose = "x"\nextends = "{other}"'}
        for name in ("x", "../x", "")
        for other in ("/etc/passwd", "../configs/historic", "configs/historic.toml", "")
    ),
    {"do": "open", "name": "x", "text": 'purpose = "x"\nworld = "/tmp"'},
    {"do": "open", "name": "x", "text": 'purpose = "x"\nextends = "historic"\n#' + "x" * 200_000},
    *({"do": "agent", "value": value} for value in [*NASTY, 7, [], {}]),
    *({"do": "open", "config": config, "seed": "1"} for config in [*NASTY, "", None, 3, [], "../configs/historic"]),
    *(
        {"do": "open", "seed": seed}
        for seed in [*NASTY, "", "-1", "1.5", "1e3", "nan", "9" * 400, None, True, "٣", -1, 2.5]
    ),
]


@pytest.fixture(scope="module")
def watcher():
    """A session that does not pace its frames for eyes: hundreds of orders are answered at once."""
    with pytest.MonkeyPatch.context() as patch, Watcher("config=published-2020&seed=1") as watcher:
        patch.setattr(session, "SOON", 0.0)
        yield watcher


def test_there_are_enough_bad_orders():
    assert len(BAD_ORDERS) > 400


def test_a_bad_order_gets_a_sentence_and_changes_nothing(watcher):
    """One session takes them all, and goes on."""
    watcher.do("quarter")
    before = {key: watcher.head[key] for key in ("config", "seed", "done", "levers", "speed", "shown", "branched")}
    for order in BAD_ORDERS:
        head = watcher.do(**order) if isinstance(order["do"], str) else send(watcher, order)
        field = str(order.get("key") or order["do"])[:80] if order["do"] != "open" else None
        said = [text for name, text in head["faults"].items() if field is None or name in (field, "")]
        assert said and all(len(text) < 450 for text in said), order
        assert not any("Traceback" in text or "stopped" in text for text in said), (order, said)
        assert {key: head[key] for key in before} == before, order
        assert watcher.parts["done"] == [], order
    assert watcher.do("quarter")["done"] == 2


def send(watcher, order):
    return watcher.do(order["do"], **{key: value for key, value in order.items() if key != "do"})


def test_what_is_no_table_at_all(watcher):
    for order in (None, 3, "play", [], ["do", "play"]):
        number = watcher.frames[-1]["number"]
        watcher.session.send(order)
        with watcher.arrived:
            assert watcher.arrived.wait_for(lambda number=number: watcher.frames[-1]["number"] > number, 10)
        assert watcher.head["faults"][""] == "The page sent something that is not a command."


# -- addresses

BAD_QUERIES = [
    *(f"seed={text}" for text in ["-1", "nan", "1e3", "%D9%A3", "9" * 400, "", "%00", "1;2", "../../etc/passwd"]),
    *(
        f"config={text}"
        for text in ["", "%00", "/etc/passwd", "../../etc/passwd", "..%2F..%2Fpyproject", "HISTORIC", "a" * 999]
    ),
    *(f"{key}={text}" for key in NUMBERS for text in ["nan", "inf", "-1", "much", "", "1e999", "%3Cscript%3E"]),
    *(f"{key}={text}" for key in WORDS for text in ["", "all", "%00", "1"]),
    *(f"at={text}" for text in ["2019-Q4", "2036-Q1", "2025", "2025-Q5", "now", "", "%D9%A2020-Q1", "9" * 999]),
    *(
        f"event={text}"
        for text in ["", "x", "{}", "[]", "1", "null", "%7B%22date%22%3A1%7D", "[" * 5000, '{"kind":"lever"}']
    ),
    'event={"date":"2022-01-01","by":"CHN","kind":"lever","set":{"demand.growth":1}}',
    'event={"date":"2022-01-01","by":"CHN","kind":"lever","set":{"subsidy.annual":1e999}}',
    'event={"date":"1999-01-01","by":"USA","target":"CHN","kind":"control","severity":0.5}',
    'event={"date":"2022-01-01","by":"USA","target":"CHN","kind":"outage","severity":1,"scope":["../x"]}',
    *(f"branch={text}" for text in ["", "2019-Q4", "now"]),
    'branch=2022-Q1&event_b={"date":"2021-01-01","by":"CHN","kind":"lever","set":{"subsidy.annual":9}}',
    *(f"own={text}" for text in ["", "x", "%00", "A" * 999, own.as_address("x"), own.as_address("[[[")]),
    *("colour=red", "demand.shock_sd=0", "__class__=x", "config[]=historic", "seed=1" + "&a=b" * 9000),
]


@pytest.mark.parametrize("query", BAD_QUERIES, ids=range(len(BAD_QUERIES)))
def test_what_a_link_cannot_hold_is_said(query):
    moment, faults = link.opened(query, "published-2020")
    assert faults and all(0 < len(line) < 450 for text in faults.values() for line in text.splitlines())
    assert (moment.opened.name, moment.seed, moment.done, moment.quarter) == ("published-2020", 1, ((),), 0)
    assert moment.scenario == moment.opened


def test_a_link_may_hold_an_event_and_a_quarter():
    event = {"date": "2021-01-01", "by": "CHN", "kind": "lever", "set": {"subsidy.annual": 90}}
    moment, faults = link.opened(f"config=historic&seed=2&event={json.dumps(event)}&at=2021-Q2", "published-2020")
    assert faults == {} and moment.quarter == 6 and moment.done[0][0].levers() == {"subsidy.annual": 90}


# -- messages on the socket


def message(kind="comm_msg", **content):
    return json.dumps({"channel": "shell", "header": {"msg_id": "1", "msg_type": kind}, "content": content})


def custom(content):
    return message(comm_id="x", data={"method": "custom", "content": content})


BAD_MESSAGES = [
    *("", "x", "{}", "[]", "null", "3", '"a"', "\0", "{" * 3000, "[" * 100_000, '{"header":1,"content":{}}'),
    *(
        message(kind)
        for kind in ["shutdown_request", "execute_request", "comm_msg", "comm_open", "comm_close", "", "?"]
    ),
    *(message(comm_id=comm, data={"method": "run"}) for comm in [None, 1, [], {}]),
    *(message(comm_id="x", data=data) for data in [None, 1, [], "x", {}, {"method": None}, {"method": ["run"]}]),
    *(
        message(comm_id="x", data={"method": method})
        for method in ["update", "evict", "reload", "request_state", "custom"]
    ),
    message("comm_open", comm_id="x", target_name="jupyter.widget", data={"state": {"_model_name": "x"}}),
    custom({"create_widget": ["os", "system"], "props": {"command": "true"}, "id": "x"}),
    custom({"update_ref": {"__call": "close"}, "prop": "x", "id": "y"}),
    custom({"event": "close", "data": 1}),
    custom({"event": ["drawn"], "data": 1}),
    custom([1]),
]


@pytest.mark.parametrize("text", BAD_MESSAGES, ids=range(len(BAD_MESSAGES)))
def test_only_what_the_page_says_is_understood(text):
    assert understood(text) is None


def test_a_message_is_stripped_to_what_is_read():
    read = understood(custom({"event": "drawn", "data": 4, "create_widget": ["os", "system"]}))
    assert read["content"] == {"comm_id": "x", "data": {"method": "custom", "content": {"event": "drawn", "data": 4}}}
    assert understood(b"bytes") is None


# -- who may talk to it


def request(path="/", host="127.0.0.1:8765", origin=None, query=b"", kind="http"):
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    return {"type": kind, "path": path, "query_string": query, "headers": headers}


@pytest.mark.parametrize(
    "scope",
    [
        request(),
        request(host="localhost:8765"),
        request(host="[::1]:8765"),
        request(origin="http://127.0.0.1:8765"),
        request("/_solara/api/close/x", query=b"session_id=y"),
    ],
)
def test_its_own_page_is_answered(scope):
    assert is_ours(scope, Door())


@pytest.mark.parametrize(
    "scope",
    [
        request(host="example.org"),
        request(host="example.org:8765"),
        request(host="127.0.0.1.example.org:8765"),
        request(host=""),
        request(host="[::1"),
        request(host="192.168.0.7:8765"),
        request(host="localhost@example.org"),
        request(origin="http://example.org"),
        request(origin="http://127.0.0.1:9999"),
        request(origin="null"),
        request("/_solara/api/close/x"),  # Solara answers this one with a traceback
    ],
)
def test_others_are_refused(scope):
    assert not is_ours(scope, Door())


@pytest.mark.parametrize(("host", "right"), [("192.168.0.7:80", True), ("localhost", True), ("example.org:80", False)])
def test_a_server_for_others_is_known_by_addresses_not_by_foreign_names(host, right):
    assert is_ours(request(host=host), Door("0.0.0.0")) is right
    assert is_ours(request(host="race.example.org"), Door("race.example.org"))


# -- a server


def get(address, path, **headers):
    """The status and the first bytes of an answer, by a client that leaves the path as it is."""
    import http.client
    from urllib.parse import urlsplit

    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


UPWARDS = ["../" * 8, "..%2f" * 8, "%2e%2e/" * 8, "....//" * 8, "..\\" * 8]
ROOTS = [
    "/",
    "/static/",
    "/static/assets/",
    "/static/public/",
    "/_solara/cdn/",
    "/_solara/cdn/requirejs@2.3.6/",
    "/jupyter/",
]


def test_no_path_leads_to_a_file_outside(address):
    for root in ROOTS:
        for up in UPWARDS:
            for file in ("etc/passwd", "pyproject.toml", "sim/cli/page.py"):
                _, body = get(address, root + up + file)
                assert b"root:" not in body and b"[project]" not in body and b"import typer" not in body, (
                    root + up + file
                )
    for path in ("/resourcez", "/_solara/api/evict/x", "/_solara/cdn/requirejs@2.3.6", "/%00", "/" + "a" * 5000):
        status, body = get(address, path)
        assert b"Traceback" not in body and status < 500, path
    assert missing_assets() == []  # Solara's own server deletes a package that is asked for without a file


def test_a_foreign_site_can_open_neither_page_nor_socket(address):
    assert get(address, "/", Host="example.org")[0] == 403
    assert get(address, "/", Origin="http://example.org")[0] == 403
    for headers in ({"Origin": "http://example.org"}, {"Origin": "null"}, {"Host": "example.org"}):
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            Page(address, **headers)


def test_bad_messages_leave_page_and_server_working(address):
    one, other = Page(address, "?seed=3"), Page(address, "?seed=4")
    for text in BAD_MESSAGES:
        one.socket.send(text)
    one.socket.send(b"\x00\x01\x02")
    for value in (None, 3, [], "play", {"do": "fly"}, {"do": "lever", "key": "subsidy.annual", "value": "x" * 10_000}):
        one.event("bar", "command", value)
    one.until(lambda head: "subsidy.annual" in head["faults"])
    one.command(do="quarter")
    one.until(lambda head: head["done"] == 1)
    # the other page, with its own seed, was not moved, and moves only itself
    other.command(do="jump", value=2021)
    other.until(lambda head: head["done"] == 4)
    assert other.head["seed"] == 4 and one.head["done"] == 1
    with pytest.raises(ConnectionClosed):  # a message larger than any of the page's ends its socket
        overwhelm(one)
    other.command(do="quarter")
    other.until(lambda head: head["done"] == 5)
    other.close()


def overwhelm(page):
    page.socket.send("x" * (2 << 20))
    while True:
        page.hear(20)


def test_another_visitor_cannot_take_over_a_session(address):
    """Knowing the id of a tab's session is not enough: it belongs to the cookie of its visitor."""
    one, other = Page(address), Page(address)
    place = f"ws://{address.split('/')[2]}/jupyter/api/kernels/{one.kernel}/channels?session_id={one.session}"
    headers = {"Cookie": other.cookie, "Origin": address.rstrip("/")}
    with pytest.raises(InvalidStatus), connect(place, additional_headers=headers):
        pass
    one.command(do="speed", value=10)
    one.until(lambda head: head["speed"] == 10)
    assert one.head["done"] == 0
    one.close()
    other.close()


def test_a_taken_port_is_said():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        server = view("--port", port)
        out, error = server.communicate(timeout=30)
    assert server.returncode == 2 and out == ""
    assert f"--port = {port}" in error and "Traceback" not in error and len(error.splitlines()) == 1


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.7", ""])
def test_a_host_that_is_none_is_said(host):
    server = view("--port", "0", "--host", host)
    out, error = server.communicate(timeout=30)
    assert server.returncode == 2 and out == ""
    assert "--host" in error and "Traceback" not in error and len(error.splitlines()) == 1


def test_a_server_for_others_says_what_that_means(tmp_path):
    without_files = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}  # starts sooner
    with served("--host", "0.0.0.0", env=without_files) as (_, said):
        assert "without a password" in said and "Nothing is encrypted" in said


def test_without_front_end_files_terminal_and_page_say_so(tmp_path):
    with served(env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)}) as (address, said):
        assert "decoupling view --get-assets" in said
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(address)
        text = answer.value.read().decode()
        answer.value.close()
        assert "decoupling view --get-assets" in text


@pytest.mark.parametrize("home", ["/dev/null", ""], ids=["no folder", "unset"])
def test_without_a_home_the_files_go_to_a_temporary_folder(tmp_path, home):
    kept = {key: value for key, value in os.environ.items() if key not in ("HOME", "XDG_CACHE_HOME")}
    homeless = {**kept, "TMPDIR": str(tmp_path), **({"HOME": home} if home else {"XDG_CACHE_HOME": "/dev/null"})}
    with served(env=homeless) as (address, said):
        assert f"{tmp_path}/decoupling-" in said and "no home folder can be written" in said
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(address)
        answer.value.close()
