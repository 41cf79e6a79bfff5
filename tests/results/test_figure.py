"""Figures: equal ones are equal bytes, whatever matplotlib is set to."""

import matplotlib
import pytest

from sim.results.figure import drawing, open_frame, svg_text


def drawn(salt="salt"):
    from matplotlib.figure import Figure

    with drawing(salt):
        figure = Figure(figsize=(2, 2))
        panel = figure.subplots()
        panel.plot([0, 1], [1, 0], label="share")
        panel.set_title("A <title>")
        panel.legend()
        open_frame(panel)
        return svg_text(figure)


def test_a_users_settings_change_nothing():
    before = drawn()
    own = {"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path", "svg.hashsalt": None, "axes.grid": True}
    with matplotlib.rc_context(own):
        assert drawn() == before
        assert matplotlib.rcParams["font.size"] == 30  # and they are as before afterwards
    assert drawn("another") != before


def test_an_svg_can_stand_in_a_page():
    text = drawn()
    assert text.startswith("<svg ") and text.endswith("</svg>\n")
    assert "A &lt;title&gt;" in text  # text stays text
    assert "dc:date" not in text and "Matplotlib v" not in text


def test_settings_come_back_after_a_fault():
    with matplotlib.rc_context({"font.size": 30}):
        with pytest.raises(RuntimeError), drawing("salt"):
            raise RuntimeError
        assert matplotlib.rcParams["font.size"] == 30
