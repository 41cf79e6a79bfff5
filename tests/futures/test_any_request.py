"""Whatever a page sends, there is an answer or a sentence, and nothing else."""

import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sim.errors import BadInput
from sim.futures.answers import read_request, refused
from sim.scenario.loading import load_config

HISTORIC = load_config("historic")
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["truce", "CHN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
EVENT = st.fixed_dictionaries(
    {"kind": st.sampled_from(["control", "truce", "lever", "outage", "subsidy"]) | ANY, "by": st.just("USA") | ANY},
    optional=dict.fromkeys(("scope", "severity", "through", "lines", "set", "until", "target", "amount"), ANY),
)
LEVERS = st.dictionaries(st.sampled_from(["subsidy.annual", "controls.mode", "mandate.tools"]) | st.text(), ANY)
REQUEST = st.fixed_dictionaries(
    {"config": st.just("historic")},
    optional={
        "number": ANY,
        "from": st.sampled_from(["2027-Q1", "2021-Q1"]) | ANY,
        "set": LEVERS | ANY,
        "acts": st.lists(EVENT | st.sampled_from(["truce", "full-cutoff"]) | ANY, max_size=3) | ANY,
        "seed": st.integers() | ANY,
    },
)


@given(REQUEST)
@example({"config": "historic", "set": {"\n": None}})
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_request_is_read_or_refused_with_a_sentence(request):
    try:
        asked = read_request(request, HISTORIC)
    except BadInput as fault:
        told = refused(request.get("number"), fault)
        assert 0 < len(told["fault"]) <= 400 and "\n" not in told["fault"]
    else:
        assert asked.band.key and json.dumps(asked.number) and asked.ends is not None
