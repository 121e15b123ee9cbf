"""What a reader who cannot see, or cannot use a mouse, is given: names, headings, tables; computed from the HTML alone."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from page_parts import whole_page

from trpo_theory.report import front
from trpo_theory.report.page import Definitions, Page, Section

LABELABLE = {"button", "input", "meter", "output", "progress", "select", "textarea"}
CONTROLS = {"a", "button", "input", "select", "summary", "textarea"}
VOID = {"meta", "link", "input", "img", "wbr", "br"}


class Element:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent, self.children = tag, attributes, parent, []

    def walk(self):
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def raw(self):
        return "".join(child if isinstance(child, str) else child.raw() for child in self.children)

    def text(self):
        return " ".join(self.raw().split())


class Tree(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.root = self.here = Element("", {}, None)
        self.feed(html)
        self.elements = list(self.root.walk())
        self.by_id = {e.attributes["id"]: e for e in self.elements if "id" in e.attributes}

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs), self.here)
        self.here.children.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag, attrs):
        self.here.children.append(Element(tag, dict(attrs), self.here))

    def handle_endtag(self, tag):
        self.here = self.here.parent

    def handle_data(self, data):
        self.here.children.append(data)

    def name(self, element):
        """The accessible name: HTML-AAM, as far as this page needs it. A label that wraps names its first control only."""
        if "aria-labelledby" in element.attributes:
            return " ".join(self.by_id[id].text() for id in element.attributes["aria-labelledby"].split())
        if "aria-label" in element.attributes:
            return element.attributes["aria-label"].strip()
        labels = [e for e in self.elements if e.tag == "label" and self.labelled(e) is element]
        if labels:
            return labels[0].text()
        return element.text() if element.tag not in ("input", "select", "textarea") else ""

    def labelled(self, label):
        if "for" in label.attributes:
            return self.by_id.get(label.attributes["for"])
        return next((e for e in label.walk() if e.tag in LABELABLE), None)


@pytest.fixture(scope="module")
def tree():
    page = whole_page()
    return Tree(Page(page.title, page.lead, [*page.sections, Section("words", "Words", "", [Definitions()])]).to_html())


def test_every_control_has_a_name_and_no_two_sliders_the_same(tree):
    controls = [e for e in tree.elements if e.tag in CONTROLS]
    assert len(controls) > 100
    assert [e.attributes for e in controls if not tree.name(e)] == []
    sliders = [tree.name(e) for e in controls if e.attributes.get("type") == "range"]
    assert len(set(sliders)) == len(sliders) == 13
    assert "Reward of action 1 in state 0" in sliders


def test_what_is_seen_is_what_is_spoken(tree):
    """A name that hides the visible words cannot be said to a speech interface (WCAG 2.5.3)."""
    for element in tree.elements:
        if element.tag in ("a", "button") and "aria-label" in element.attributes:
            assert element.text() in element.attributes["aria-label"]


def test_headings_go_down_by_one(tree):
    levels = [int(e.tag[1]) for e in tree.elements if e.tag in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later - former <= 1 for former, later in pairwise(levels))


def test_landmarks_are_named_once(tree):
    assert sum(e.tag == "main" for e in tree.elements) == 1
    regions = [tree.name(e) for e in tree.elements if e.tag in ("section", "nav")]
    assert all(regions)
    assert len(regions) == len(set(regions))


def test_figures_and_tables_have_names_and_heads(tree):
    for element in tree.elements:
        if element.tag in ("figure", "table"):
            assert tree.name(element), element.attributes
        if element.tag == "th":
            assert element.attributes["scope"] in ("col", "row")
            assert element.text()
        if element.tag == "svg" and element.attributes.get("aria-hidden") != "true":
            assert (element.attributes["role"], bool(element.attributes["aria-label"])) == ("img", True)


def test_the_explorer_and_the_definitions_come_first():
    first, second = front.front()
    assert (first.id, second.id) == ("explorer", "definitions")


@pytest.mark.browser
def test_chromium_finds_no_control_without_a_name(tmp_path):
    from browser import chromium

    roles = {
        "button",
        "link",
        "slider",
        "searchbox",
        "combobox",
        "radio",
        "DisclosureTriangle",
        "image",
        "figure",
        "table",
    }
    page = Page("A page", "Its lead.", [*front.front(), whole_page().sections[1]])
    page.write(tmp_path / "page.html")
    with chromium(tmp_path / "profile") as driver:
        driver.get((tmp_path / "page.html").as_uri())
        nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        found = [node for node in nodes if not node["ignored"] and node["role"]["value"] in roles]
        assert sum(node["role"]["value"] == "slider" for node in found) == 13
        unnamed = [node["role"] for node in found if not node.get("name", {}).get("value", "").strip()]
        assert unnamed == [], json.dumps(unnamed)
