"""The page in headless Chromium: the explorer's numbers against the library's, and everything that moves."""

import functools
import json
import math

import numpy as np
import pytest
from browser import chromium, emulate
from cheap import is_whole
from page_parts import claim_rows, whole_page

import trpo_theory as tt
from trpo_theory.numerics.divergence import kl

pytestmark = [pytest.mark.browser, pytest.mark.sampled]

RTOL = 1e-9
BOUND = tt.bounds.get("chain-rule/kl")


@functools.cache
def rows_shown():
    """Of the catalogue one claim in eight, and those that a test looks for: all 400 take Chromium seconds in each test."""
    return [row for n, row in enumerate(claim_rows()) if is_whole() or n % 8 == 0 or "Achiam" in row.source]


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    directory = tmp_path_factory.mktemp("page")
    whole_page(rows_shown()).write(directory / "report.html")
    with chromium(directory / "profile") as driver:
        driver.get((directory / "report.html").as_uri())
        yield driver


@pytest.fixture
def page(driver):
    emulate(driver, 1440, 1000)
    driver.refresh()
    return driver


def computed(page, settings):
    code = (
        "return arguments[0].map(s => JSON.stringify(window.explorer.compute(s), "
        "(_, v) => v === Infinity ? 'Infinity' : v))"
    )
    return [with_infinity(json.loads(text)) for text in page.execute_script(code, settings)]


def with_infinity(value):
    if isinstance(value, dict):
        return {key: with_infinity(part) for key, part in value.items()}
    if isinstance(value, list):
        return [with_infinity(part) for part in value]
    return math.inf if value == "Infinity" else value


def library(settings):
    """The same numbers by the library, for settings of one δ side by side: FiniteMDP, update and compare."""
    stacked = {name: np.array([setting[name] for setting in settings]) for name in settings[0]}
    one = [np.stack([1 - stacked[name], stacked[name]], -1) for name in ("next", "initial", "old")]
    transition, initial, old = one
    mdp = tt.FiniteMDP(transition, stacked["reward"], stacked["gamma"], initial)
    (delta,) = set(stacked["delta"].tolist())
    problems = {"penalty": tt.Penalty(bound=BOUND), "max-kl": tt.MaxKL(delta), "mean-kl": tt.MeanKL(delta)}
    return mdp, old, {name: tt.update(mdp, old, problem) for name, problem in problems.items()}


def assert_agree(settings, results):
    mdp, old, solutions = library(settings)
    gamma, delta = np.array([setting["gamma"] for setting in settings]), settings[0]["delta"]
    scale = abs(np.array([setting["reward"] for setting in settings])).max((1, 2)) / (1 - gamma)
    still = tt.compare(mdp, old, old)
    moved = tt.compare(mdp, np.full((2, 2), 0.5), np.array([[0.25, 0.75]] * 2))
    unit = BOUND.penalty(moved) / moved.max_kl / moved.max_abs_advantage

    def close(name, ours, theirs, absolute=0.0):
        off = np.abs(np.asarray(ours) - theirs) > RTOL * np.abs(theirs) + absolute
        assert not off.any(), (name, np.asarray(settings)[off.reshape(len(settings), -1).any(1)])

    def column(name):
        return np.array([result[name] for result in results])

    close("eta", column("expected_return_old"), still.expected_return_old, RTOL * scale)
    close("epsilon", column("max_abs_advantage"), still.max_abs_advantage)
    close("C", column("penalty_coefficient"), unit * still.max_abs_advantage)
    for step, solution in solutions.items():
        assert solution.status.name == "OPTIMAL"
        mine = {name: np.array([r["steps"][step][name] for r in results]) for name in results[0]["steps"][step]}
        close(step, mine["policy"], solution.policy[:, :, 1], 1e-12)
        for quantity in ("max_kl", "mean_kl", "surrogate_gain"):
            close((step, quantity), mine[quantity], getattr(solution, quantity))
        close((step, "new"), mine["expected_return_new"], solution.expected_return_new, RTOL * scale)
        close((step, "L"), mine["surrogate"], still.expected_return_old + solution.surrogate_gain, RTOL * scale)
        q = tt.compare(mdp, old, solution.policy)
        rounding = 1e-14 * scale / (1 - gamma)  # what storing the new policy does to the gain
        close((step, "gain"), mine["return_gain"], q.surrogate_gain + q.surrogate_gap, rounding)
        if step != "penalty":
            assert (mine[step.replace("-", "_")] <= delta * (1 + RTOL)).all()


def random_settings(count, delta, seed):
    generator = np.random.default_rng(seed)
    for index in range(count):
        gamma = 1 - 10 ** generator.uniform(-3, 0) if index % 2 else generator.uniform(0.05, 0.99)
        setting = {
            "gamma": float(gamma),
            "delta": delta,
            "initial": float(generator.uniform()),
            "reward": generator.uniform(-1, 1, (2, 2)).tolist(),
            "next": generator.uniform(0, 1, (2, 2)).tolist(),
            "old": generator.uniform(0.001, 0.999, 2).tolist(),
        }
        if index % 7 == 0:
            setting["old"][0] = float(generator.integers(2))
        if index % 11 == 0:
            setting["old"] = generator.integers(0, 2, 2).astype(float).tolist()
        if index % 13 == 0:  # state 1 is never reached
            setting["next"][0], setting["initial"] = [0.0, 0.0], 0.0
        yield setting


@pytest.mark.slow
@pytest.mark.parametrize("delta", [1e-6, 1e-3, 0.02, 0.3, 2.0])
def test_the_numbers_agree_with_the_library(driver, delta):
    settings = list(random_settings(60, delta, seed=round(1e6 * delta)))
    assert_agree(settings, computed(driver, settings))


def test_an_update_known_in_closed_form(driver):
    # old uniform, one state that matters, r = (0, 1), γ = 0: A = ±1/2, and (12) solves KL(½‖p) = −½ log(4 p (1 − p)) = δ
    delta = 0.1
    setting = {"gamma": 0.0, "delta": delta, "initial": 0.0, "reward": [[0, 1], [0, 0]]}
    setting |= {"next": [[0, 0], [0, 0]], "old": [0.5, 0.5]}
    (result,) = computed(driver, [setting])
    p = (1 + math.sqrt(1 - math.exp(-2 * delta))) / 2
    assert result["steps"]["max-kl"]["policy"] == pytest.approx([p, 0.5], rel=1e-13)
    assert result["steps"]["mean-kl"]["policy"] == pytest.approx([p, 0.5], rel=1e-12)
    assert result["steps"]["max-kl"]["expected_return_new"] == pytest.approx(p, rel=1e-14)
    assert result["penalty_coefficient"] == 0
    assert result["steps"]["penalty"]["policy"] == [1.0, 0.5]


def test_where_nothing_can_be_gained_nothing_moves(driver):
    setting = {"gamma": 0.9, "delta": 0.1, "initial": 0.5, "reward": [[0.3, 0.3], [0.3, 0.3]]}
    setting |= {"next": [[0.1, 0.7], [0.2, 0.9]], "old": [0.37, 0.61]}
    (result,) = computed(driver, [setting])
    for step in result["steps"].values():
        assert step["policy"] == setting["old"]
        assert step["max_kl"] == 0
    assert result["expected_return_old"] == pytest.approx(3.0, rel=1e-14)


@pytest.mark.slow
def test_sliders_move_the_picture_and_the_numbers(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    names = [
        "gamma",
        "delta",
        "initial",
        *(f"{kind}-{s}-{a}" for kind in ("reward", "next") for s in (0, 1) for a in (0, 1)),
    ]
    names += ["old-0", "old-1"]
    for name in names:
        before = picture(page)
        slider = page.find_element(By.CSS_SELECTOR, f"input[name={name}]")
        held = slider.get_attribute("value")
        slider.send_keys(Keys.ARROW_LEFT * 4)
        assert slider.get_attribute("value") != held
        assert picture(page) != before, name
    assert_agree([page.execute_script("return window.explorer.setting()")], [readout(page)])


@pytest.mark.slow
def test_any_position_of_the_sliders_agrees(page):
    set_all = """
      const inputs = [...document.querySelectorAll("[data-explorer] input[type=range]")];
      inputs.forEach((input, k) => {
        input.value = Number(input.min) + arguments[0][k] * (input.max - input.min);
        input.dispatchEvent(new Event("input", { bubbles: true }));
      });
      return window.explorer.setting();
    """
    generator = np.random.default_rng(1)
    for _ in range(8):
        setting = page.execute_script(set_all, generator.uniform(size=13).tolist())
        assert_agree([setting], [readout(page)])
    setting = page.execute_script(set_all, [0.5] * 13)
    page.execute_script("document.querySelector('[data-action=reset]').click()")
    assert page.execute_script("return window.explorer.setting()") != setting


def readout(page):
    """What the page shows, to all digits, in the form of compute's result."""
    code = "return [...document.querySelectorAll('[data-number]')].map(c => [c.dataset.number, c.dataset.value])"
    result = {"steps": {}}
    for name, value in page.execute_script(code):
        step, _, quantity = name.rpartition("/")
        target = result["steps"].setdefault(step, {"policy": []}) if step else result
        if quantity.startswith("policy"):
            target["policy"].append(float(value))
        else:
            target[quantity] = float(value)
    return result


def picture(page):
    """The shapes drawn, after the next frame."""
    code = """
      const done = arguments[0];
      requestAnimationFrame(() => requestAnimationFrame(() => done(
        [...document.querySelectorAll("[data-square] [data-part]")].map(
          e => [e.dataset.part, e.getAttribute("d"), e.getAttribute("transform"), e.getAttribute("href")]))));
    """
    return page.execute_async_script(code)


def test_the_picture_has_its_parts_where_they_belong(page):
    shapes = {name: (d, move) for name, d, move, _ in picture(page)}
    result = page.execute_script("return window.explorer.result()")
    setting = page.execute_script("return window.explorer.setting()")
    for name, step in result["steps"].items():
        assert place(shapes[f"step-{name}"][1]) == pytest.approx(step["policy"], abs=1e-4)
    assert place(shapes["old"][1]) == pytest.approx(setting["old"], abs=1e-4)
    old = np.array([[1 - p, p] for p in setting["old"]])
    transition = [[[1 - p, p] for p in row] for row in setting["next"]]
    mdp = tt.FiniteMDP(transition, setting["reward"], setting["gamma"], [1 - setting["initial"], setting["initial"]])
    weight = tt.evaluate(mdp, old).occupancy
    values = []
    for x, y in points(shapes["mean-kl"][0]):  # on the boundary of (13)'s region mean-KL is δ
        values.append(weight @ kl(old, np.array([[1 - x, x], [1 - y, y]])))
    assert values == pytest.approx([setting["delta"]] * len(values), rel=2e-3)
    for x, y in points(shapes["max-kl"][0]):
        of_rows = kl(old, np.array([[1 - x, x], [1 - y, y]]))
        assert of_rows == pytest.approx([setting["delta"]] * 2, rel=2e-3)
    eta = result["expected_return_old"]
    on_edge = BOUND.check(tt.compare(mdp, old, policies(shapes["minoriser"][0])))
    assert abs(on_edge.lower_bound - eta).max() < 2e-4
    assert len(on_edge.lower_bound) > 100
    assert abs(tt.evaluate(mdp, policies(shapes["return-old"][0])).expected_return - eta).max() < 1e-3


def points(path):
    """The corners of an SVG path of M, L and Z, as policies."""
    return [place(part) for part in path.replace("Z", "").replace("M", "L").split("L") if part]


def policies(path):
    return np.array([[[1 - x, x], [1 - y, y]] for x, y in points(path)])


def place(text):
    x, y = map(float, text.removeprefix("translate(").removesuffix(")").split())
    return (x - 64) / 400, (412 - y) / 400


@pytest.mark.parametrize("view", ["trust", "penalty"])
def test_views_enlarge_the_square(page, view):
    before = picture(page)
    page.execute_script(f"document.querySelector('input[value={view}]').click()")
    after = picture(page)
    assert before != after
    shapes = {name: (d, move) for name, d, move, _ in after}
    step = {"trust": "max-kl", "penalty": "penalty"}[view]
    old, new = place(shapes["old"][1]), place(shapes[f"step-{step}"][1])
    assert math.dist(old, new) > 0.15
    assert all(0 <= c <= 1 for c in new)


def shown_ids(page):
    code = """return [...document.querySelectorAll("[data-catalogue] > .scroll > table > tbody > tr")]
      .filter(row => !row.hidden && row.offsetHeight > 0)
      .map(row => row.cells[0].textContent.replaceAll("\\u200b", ""))"""
    return page.execute_script(code)


def test_the_filter(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.select import Select

    rows = rows_shown()
    assert shown_ids(page) == [row.id for row in rows]
    box = page.find_element(By.CSS_SELECTOR, "input[type=search]")
    box.send_keys("ACHIAM corollary")
    wanted = [row.id for row in rows if "Achiam" in row.source and "Corollary" in row.source]
    assert shown_ids(page) == wanted
    assert 0 < len(wanted) < 10
    count = page.find_element(By.CSS_SELECTOR, "output[data-count]")
    assert count.text == f"{len(wanted)} of {len(rows)} claims"
    box.clear()
    box.send_keys(" ")
    Select(page.find_element(By.CSS_SELECTOR, "[data-catalogue] select")).select_by_visible_text("refuted")
    assert shown_ids(page) == [row.id for row in rows if row.witness]
    box.send_keys("no such claim")
    assert shown_ids(page) == []


def header(page, title):
    code = "return [...document.querySelectorAll('th button')].find(b => b.textContent === arguments[0])"
    return page.execute_script(code, title)


@pytest.mark.slow
def test_sorting_with_the_keyboard(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    rows = rows_shown()
    page.find_element(By.CSS_SELECTOR, "[data-action=witnesses]").send_keys(Keys.TAB)
    for title, key in [
        ("Claim", None),
        ("Expected", None),
        ("Verdict", lambda row: row.verdict),
        ("Source", None),
        ("Least slack", lambda row: row.min_slack),
        ("Instances", lambda row: row.instances),
    ]:
        focused = page.switch_to.active_element
        assert focused.text.strip().startswith(title)
        if key is not None:
            focused.send_keys(Keys.ENTER)
            assert shown_ids(page) == [row.id for row in sorted(rows, key=key)]
            states = page.execute_script(
                "return [...document.querySelectorAll('th[aria-sort]')].map(t => t.getAttribute('aria-sort'))"
            )
            assert states.count("ascending") == 1
            assert states.count("none") == len(states) - 1
            focused.send_keys(Keys.ENTER)
            assert shown_ids(page) == [row.id for row in sorted(rows, key=key, reverse=True)]
        page.switch_to.active_element.send_keys(Keys.TAB)


def test_the_first_tab_skips_to_the_content_and_focus_is_seen(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    link = page.switch_to.active_element
    assert link.text == "Skip to the content"
    assert link.rect["y"] >= 0
    link.send_keys(Keys.ENTER)
    assert page.switch_to.active_element.get_attribute("id") == "main"
    button = header(page, "Claim")
    button.send_keys(Keys.TAB)
    outline = page.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_a_witness_opens_from_the_keyboard(page):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    summary = page.find_element(By.CSS_SELECTOR, "details summary")
    diagram = page.find_element(By.CSS_SELECTOR, "details svg.diagram")
    assert not diagram.is_displayed()
    summary.send_keys(Keys.ENTER)
    assert diagram.is_displayed()


@pytest.mark.slow
def test_light_and_dark(page):
    def background():
        picture(page)  # a frame later
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = background()
    emulate(page, 1440, 1000, "dark")
    dark = background()
    assert sum(map(int, light[4:-1].split(","))) > 600
    assert sum(map(int, dark[4:-1].split(","))) < 150
    page.execute_script("document.querySelector('[data-action=theme]').click()")
    assert background() == light
    page.refresh()
    assert background() == light
    page.execute_script("localStorage.clear()")
    page.refresh()
    assert background() == dark


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_does_not_scroll_sideways(page, width):
    emulate(page, width, 844)
    page.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    code = """return [...document.querySelectorAll('main *')].filter(e => {
      if (e.closest('.scroll, .told, .statement')) return false;
      return e.getBoundingClientRect().right > innerWidth + 1 && e.getClientRects().length > 0;
    }).map(e => e.outerHTML.slice(0, 80))"""
    assert page.execute_script(code) == []
    boxes = page.execute_script(
        "return [...document.querySelectorAll('.tabular .scroll')].map(b => b.scrollWidth - b.clientWidth)"
    )
    assert max(boxes) > 0


def test_no_errors_and_no_requests(page):
    """Last in the file: over everything above."""
    assert [entry for entry in page.get_log("browser") if entry["level"] != "INFO"] == []
    events = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    urls = {params["request"]["url"] for params in asked if params["documentURL"].startswith("file:")}
    assert urls
    assert all(url.startswith(("file://", "data:")) for url in urls), urls
