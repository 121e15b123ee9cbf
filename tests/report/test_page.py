"""The report page: well-formed, self-contained, every statement typeset, every witness drawn."""

import dataclasses
import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from xml.etree import ElementTree

import pandas as pd
import pytest
from page_parts import PNG, SVG, WITNESSES, claim_rows, whole_page, witness_of

import trpo_theory as tt
from trpo_theory.report import Table
from trpo_theory.report.diagram import transition_diagram
from trpo_theory.report.page import Catalogue, ClaimRow, Figure, Page, PaperRow, Papers, Section
from trpo_theory.report.page.statement import prose, typeset

VOID = {"meta", "link", "input", "img", "wbr", "br"}
STATEMENTS = {claim.id: claim.statement for claim in tt.claims.catalogue.values()}
SYMBOLS = {
    r"\eta": "η",
    r"\gamma": "γ",
    r"\rho": "ρ",
    r"\pi": "π",
    r"\epsilon": "ϵ",
    r"\alpha": "α",
    r"\delta": "δ",
    r"\ge": "≥",
    r"\le": "≤",
    r"\sum": "∑",
    r"\in": "∈",
    r"\theta": "θ",
    r"\max": "max",
    r"\min": "min",
    r"\arg": "arg",
    r"\exp": "exp",
    r"\Rightarrow": "⇒",
    r"\nabla": "∇",
    r"\tau": "τ",
    r"\propto": "∝",
    r"\mathbb{E}": "𝔼",
}


class Reader(HTMLParser):
    """Checks that elements close in order, and keeps ids, links, images and text."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.tags, self.addresses, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.addresses += [attrs[name] for name in ("href", "src", "action", "srcset") if attrs.get(name)]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open
    return reader


@pytest.fixture(scope="module")
def html():
    return whole_page().to_html()


def test_elements_close_and_ids_are_unique(html):
    reader = read(html)
    assert len(reader.ids) == len(set(reader.ids))
    assert {"explorer", "results", "catalogue", "main"} <= set(reader.ids)


def test_nothing_is_asked_of_the_network(html):
    reader = read(html)
    assert all(address.startswith(("data:", "#")) for address in reader.addresses)
    links = [address[1:] for address in reader.addresses if address.startswith("#")]
    assert set(links) <= set(reader.ids)
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|importScripts", html)
    assert "default-src 'none'" in html


def test_titles_are_escaped_and_contents_link_to_sections(html):
    assert "A &lt;page&gt; &amp; its title" in html
    assert '<a href="#results">Results</a>' in html


@pytest.mark.parametrize("claim_id", STATEMENTS)
def test_a_statement_has_its_symbols_and_its_words(claim_id):
    latex = STATEMENTS[claim_id]
    html = typeset(latex)
    assert "latex" not in html
    text = "".join(ElementTree.fromstring(html.replace("<wbr>", "<wbr/>")).itertext()).replace("\u00a0", " ")
    assert "\\" not in text
    for command, symbol in SYMBOLS.items():
        written = len(re.findall(re.escape(command) + r"(?![A-Za-z])", latex))
        assert text.count(symbol) >= written, (command, text)
        if len(symbol) == 1:
            assert text.count(symbol) == written, (command, text)
    for words in re.findall(r"\\(?:text|mathrm)\{([^{}]*)\}", latex):
        assert words.strip() in text


def test_formulas_have_their_structure():
    math = ElementTree.fromstring(typeset(r"\frac{4\epsilon\gamma}{(1-\gamma)^2}"))[0]
    fraction = math.find(".//mfrac")
    assert fraction is not None
    assert ["".join(part.itertext()) for part in fraction] == ["4ϵγ", "(1−γ)2"]
    assert fraction.find(".//msup/mn").text == "2"


def test_lines_may_break_before_outer_relations_and_only_there():
    html = typeset(r"\eta(\tilde\pi) \ge L_\pi(\tilde\pi) - \frac{a = b}{c}\text{, where } x \ll y")
    parts = ["".join(ElementTree.fromstring(part).itertext()) for part in re.findall(r"<math.*?</math>", html)]
    assert [part.replace("~", "") for part in parts] == ["η(π)", "≥Lπ(π)", "−a=bc", "x≪y"]
    assert html.count("<wbr>") == 4
    assert re.search(r"</math>,</span>", html)


@pytest.mark.parametrize("latex", [r"\frac{1}{", r"\begin{matrix} 1 & 2", r"\text{<b>"])
def test_latex_that_cannot_be_read_is_shown_as_it_is(latex):
    assert ElementTree.fromstring(typeset(latex))[0].text == latex


def test_prose():
    assert prose("a < b, `x<y`") == "a &lt; b, <code>x&lt;y</code>"
    assert prose(r"of $\eta$, and") == f'of <span class="keep">{typeset(chr(92) + "eta")[24:-7]}</span> and'.replace(
        "</math></span>", "</math>,</span>"
    )


@pytest.mark.parametrize("path", sorted(WITNESSES.glob("*.json")), ids=lambda path: path.stem)
def test_a_diagram_has_every_state_action_and_transition(path):
    fields = json.loads(path.read_text(encoding="utf-8"))
    svg = ElementTree.fromstring(transition_diagram(fields, title="a <title>"))
    assert svg.get("aria-label") == "a <title>"
    by_class = {}
    for element in svg.iter():
        by_class.setdefault((element.get("class") or "").split(" ")[0], []).append(element)
    states, actions = len(fields["transition"]), len(fields["transition"][0])
    moves = [p for rows in fields["transition"] for row in rows for p in row if p != 0]
    starts = [state for state in by_class["state"] if state.get("class") == "state start"]
    assert len(by_class["state"]) == states
    assert len(starts) == sum(p != 0 for p in fields["initial"])
    assert len(by_class["action"]) == len(by_class["label"]) == states * actions
    assert len(by_class["head"]) == len(moves)
    assert sorted(share.text for share in by_class.get("share", [])) == sorted(str(p) for p in moves if p != 1)
    rewards = sorted(float_of(label.text.split()[1]) for label in by_class["label"])
    assert rewards == sorted(float_of(r) for row in fields["reward"] for r in row)
    left, top, width, height = map(float, svg.get("viewBox").split())
    for circle in svg.iter("{http://www.w3.org/2000/svg}circle"):
        x, y, r = (float(circle.get(name)) for name in ("cx", "cy", "r"))
        assert left <= x - r
        assert x + r <= left + width
        assert top <= y - r
        assert y + r <= top + height
    places = [(float(state.get("cx")), float(state.get("cy"))) for state in by_class["state"]]
    apart = [abs(complex(*p) - complex(*q)) for p in places for q in places if p is not q]
    assert min(apart, default=99) > 2.5 * 19


def float_of(text):
    numerator, _, denominator = str(text).replace("−", "-").partition("/")
    return float(numerator) / float(denominator or 1)


@pytest.mark.slow
def test_the_catalogue_shows_each_claim_and_each_witness():
    rows = claim_rows()
    reader = read(Catalogue(rows).to_html())
    refuted = [row for row in rows if row.witness]
    assert sum(tag == "details" for tag, _ in reader.tags) == len(refuted) > 30
    assert sum(attrs.get("class") == "diagram" for tag, attrs in reader.tags if tag == "svg") == len(refuted)
    verdicts = [attrs["data-verdict"] for tag, attrs in reader.tags if tag == "tr" and "data-verdict" in attrs]
    assert verdicts == [row.verdict for row in rows]
    offered = [attrs for tag, attrs in reader.tags if tag == "option"]
    assert len(offered) == 1 + len(set(verdicts)) > 3  # all, refuted, proved, unrefuted
    text = " ".join(reader.text)
    assert "99/100" in text
    assert "≈ 0.73106" in text


def test_a_claim_cannot_smuggle_html():
    row = ClaimRow(
        "own/<script>", "open", "undecided", r"\text{<script>}", "<b>me</b>", note="<i>", searched="<b>", proof="<i>"
    )
    text = Catalogue([row]).to_html()
    assert "<script>" not in text
    assert "<b>" not in text
    assert "<i>" not in text


@pytest.mark.slow
def test_the_catalogue_of_a_verification():
    verification = tt.verify(["errata/eta-with-advantage", "trpo/tv"], instances=50)
    rows = {row.id: row for row in Catalogue.of(verification).rows}
    assert rows["errata/eta-with-advantage"].verdict == "refuted"
    assert rows["errata/eta-with-advantage"].witness["reward"] is not None
    assert rows["trpo/tv"].witness is None
    assert rows["trpo/tv"].statement == STATEMENTS["trpo/tv"]
    assert rows["trpo/tv"].searched == verification["trpo/tv"].searched.text
    page = Catalogue.of(verification).to_html()
    text = " ".join(read(page).text)
    assert "proved theorem, machine-checked (docs/theory.md" in " ".join(text.split())
    assert page.count("Searched: ") == 1  # not of the refuted one
    assert f"Searched: {rows['trpo/tv'].searched}" in page


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    class Broken:
        def to_html(self):
            raise RuntimeError("broken")

    path = tmp_path / "report.html"
    whole_page().write(path)
    before = path.read_bytes()
    assert before == whole_page().to_html().encode()
    with pytest.raises(RuntimeError, match="broken"):
        Page("t", "l", [Section("a", "A", "", [Broken()])]).write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Section("Two words", "t"), "id of a section"),
        (lambda: Page("t", "l", [Section("a", "A"), Section("a", "B")]), "two sections"),
        (lambda: Page("t", "l", [Section("a", "A", "", [3])]).to_html(), "a int in a section"),
        (lambda: Figure("f", b"GIF89a", "c", "a"), "neither SVG nor PNG"),
        (lambda: Figure("f", PNG, "c", " "), "without alt text"),
        (lambda: transition_diagram({"reward": []}), "transition, initial"),
    ],
)
def test_bad_parts_are_one_message(make, message):
    with pytest.raises(tt.InvalidInput, match=message):
        make()


def test_figures_carry_their_files():
    reader = read(Figure("f", SVG, "c", "a", {"png": PNG}).to_html())
    saved = {attrs["download"]: attrs["href"] for tag, attrs in reader.tags if "download" in attrs}
    assert set(saved) == {"f.svg", "f.png"}
    assert saved["f.png"].startswith("data:image/png;base64,iVBOR")
    drawings = [attrs for tag, attrs in reader.tags if tag == "svg"]
    assert [(attrs["role"], attrs["aria-label"]) for attrs in drawings] == [("img", "a")]
    raster = read(Figure("g", PNG, "c", "b").to_html())
    assert [attrs["alt"] for tag, attrs in raster.tags if tag == "img"] == ["b"]


def test_the_package_has_its_styles_scripts_and_templates():
    room = files("trpo_theory.report.page")
    for folder, suffix in (("assets", ".js"), ("assets", ".css"), ("templates", ".html.j2")):
        names = [file.name for file in (room / folder).iterdir() if file.name.endswith(suffix)]
        assert len(names) >= 3
        for name in names:
            assert len((room / folder / name).read_text(encoding="utf-8").splitlines()) < 350


def test_witnesses_match_their_claims():
    assert sum(witness_of(claim_id) is not None for claim_id in STATEMENTS) == len(list(WITNESSES.glob("*.json")))


def test_papers_open_one_by_one():
    """Two papers and the table; LaTeX is typeset, the rest escaped."""
    rows = [
        PaperRow(
            "A & B", "x/one", "Lemma 1", "proved", "costs", "seen", "notes", "attained", "x/two, x/three", r"\eta \ge 0"
        ),
        PaperRow("A & B", "x/four", "", "refuted", "discounted", "from memory", "", "", "", "1 < 2"),
        PaperRow("C", "x/five", "", "proved", "average", "derived here", "", "", "", "<script>"),
    ]
    frame = pd.DataFrame([dataclasses.asdict(row) for row in rows])
    text = Papers(rows, Table(frame, "All.", "tab:papers")).to_html()
    assert [found.strip() for found in re.findall("<summary>(.*?)</summary>", text)] == [
        "A &amp; B: 2 statements",
        "C: 1 statement",
        "All papers in one table",
    ]
    assert "Lemma 1; costs; wording seen (notes). Sharp: attained. False twins: x/\u200btwo, x/\u200bthree." in text
    assert "discounted; wording from memory.</p>" in text
    assert "<script>" not in text
    assert "<mi>η</mi>" in text
