"""Sweeps: what chunks find out is what one instance at a time says, wherever they run; tables give back what they took."""

import dataclasses
import itertools
import math
import sys

import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory import bounds
from trpo_theory.bounds.record import Claim
from trpo_theory.claims import catalogue
from trpo_theory.errors import ClaimFailed, InvalidInput
from trpo_theory.model.decimals import as_written
from trpo_theory.proofs.outcome import Outcome
from trpo_theory.proofs.settle import settle
from trpo_theory.search.instruments import mutation
from trpo_theory.search.least import Least
from trpo_theory.search.screen import Screen
from trpo_theory.verification import merged, read_run
from trpo_theory.verification.chunk import Chunk, chunks
from trpo_theory.verification.execute import execute
from trpo_theory.verification.fingerprint import fingerprint
from trpo_theory.verification.portable import portable, restored, slug
from trpo_theory.verification.table import from_bytes, to_bytes
from trpo_theory.verification.verifying import plan, verify

chunking = sys.modules["trpo_theory.verification.chunk"]
verifying = sys.modules["trpo_theory.verification.verifying"]
SOME = ("coupling/tv", "trpo/tv-2", "chain-rule/kl")


def made(formula, id="mine/made", **details):
    return Claim(id, formula, "a statement", **details)


def chunk(*claims, instances=300, index=0, seed=0, shape=(3, 2), **details):
    return Chunk(claims, details.get("needs", frozenset()), details.get("solved", ""), index, instances, seed, shape)


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of 200 instances and searches of one generation."""
    monkeypatch.setattr(chunking, "CHUNK", 200)
    monkeypatch.setattr(verifying, "CHUNK", 200)
    monkeypatch.setattr(mutation, "GENERATIONS", 1)


# --- what a chunk finds out ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_chunk_counts_and_takes_the_least_as_a_loop_over_compare_does():
    """The oracle: public functions, one MDP at a time, and the slack from its own definition."""
    task = chunk("trpo/tv", "half", shape=(3, 2))
    half = made(lambda q: 0.5 - q.max_tv, id="half", given=lambda q: q.gamma < 0.9)
    task = dataclasses.replace(task, claims=(catalogue["trpo/tv"], half))
    (drawn,) = task.drawn()
    slacks, sizes, tvs, met, doubtful = [], [], [], 0, 0
    for i in range(len(drawn)):
        mdp = tt.FiniteMDP(drawn.transition[i], drawn.reward[i], drawn.gamma[i], drawn.initial[i])
        q = tt.compare(mdp, drawn.old[i], drawn.new[i])
        alpha = 0.5 * abs(drawn.new[i] - drawn.old[i]).sum(-1).max()
        penalty = 4 * q.max_abs_advantage * q.gamma / (1 - q.gamma) ** 2 * alpha**2
        flat = q.max_abs_advantage <= 1e-12 * abs(drawn.reward[i]).max()  # then gap and penalty are 0, but for rounding
        doubtful += alpha > 0 and flat
        if alpha > 0 and not flat:
            slacks.append(q.surrogate_gap + penalty)
            sizes.append((abs(q.value).max() + abs(drawn.reward[i]).max()) / (1 - q.gamma))
        met += q.gamma < 0.9
        if alpha > 0 and q.gamma < 0.9:
            tvs.append(0.5 - alpha)
    bound, tv = task.run()
    assert (bound.claim, bound.instances, bound.undecided) == ("trpo/tv", 300, 0)
    assert len(slacks) <= bound.effective <= len(slacks) + doubtful
    assert doubtful < 30
    assert bound.effective + bound.trivial == 300
    assert 200 < len(slacks) < 300
    assert any(slack == pytest.approx(bound.least.slack, rel=1e-9) for slack in slacks)
    lower = [(slack, size) for slack, size in zip(slacks, sizes, strict=True) if slack < bound.least.slack * (1 - 1e-9)]
    assert len(lower) < 60
    assert all(abs(slack) < 1e-10 * size for slack, size in lower)  # floats tell neither the slack nor the gap
    assert (tv.instances, tv.effective, tv.trivial) == (300, len(tvs), met - len(tvs))
    assert tv.least.slack == pytest.approx(min(tvs), rel=1e-12)


def test_the_worst_instances_are_whole_and_certify_the_number_that_is_printed():
    task = chunk("trpo/tv-2", instances=500, seed=6)
    (tally,) = task.run()
    worst = min(tally.worst, key=lambda one: one.slack)
    assert worst.slack == tally.least.slack < 0
    assert min(one.ratio for one in tally.worst) == tally.least.ratio
    decision = settle(catalogue["trpo/tv-2"], worst.exact)
    assert decision.verdict is Outcome.REFUTED
    assert float(decision.upper) == pytest.approx(tally.least.slack, rel=1e-9)
    drawn = task.drawn()[0]
    (where,) = np.flatnonzero((drawn.transition == worst.instances.transition).all((1, 2, 3)))
    for name, array in worst.instances.arrays().items():
        assert (array[0] == getattr(drawn, name)[where]).all(), name
        assert array.dtype.kind == getattr(drawn, name).dtype.kind
    assert tally.refuted.states == 3
    assert tally.refuted.quantities().gamma == as_written(float(tally.refuted.gamma))


@pytest.mark.slow
def test_every_alarm_of_floats_goes_to_balls_and_none_is_left():
    """A slack that floats get wrong by cancellation on every instance, true in balls; and one that balls cannot compute."""
    false_alarm = made(lambda q: (q.gamma + 1e20) - 1e20 - q.gamma + q.gamma * 1e-3)
    (tally,) = chunk(false_alarm, instances=60).run()
    assert tally.least.slack < 0
    assert tally.refuted is None
    assert tally.checked >= 55
    assert (tally.undecided, tally.unchecked, tally.near) == (0, 0, 0)
    (tally,) = chunk(made(lambda q: math.gamma(1 + q.gamma) - 2), instances=60).run()
    assert tally.undecided == tally.checked == tally.instances == 8  # one at a time: not so many
    assert "write q.sqrt(x)" in tally.note


@pytest.mark.whole
@pytest.mark.slow
def test_alarms_beyond_the_limit_are_not_forgotten(monkeypatch):
    monkeypatch.setattr(sys.modules["trpo_theory.verification.kept_findings"], "_CHECKED_AT_MOST", 20)
    clear = {"given": lambda q: (q.gamma < 0.95) & (q.max_s(q.max_a(abs(q.reward))) < 1e3)}  # beyond any rounding
    alarm = made(lambda q: (1 + q.gamma + 1e20) - 1e20 - (1 + q.gamma) * 0.999, **clear)
    (tally,) = chunk(alarm, instances=120).run()
    assert tally.checked == 20
    assert tally.unchecked >= 35
    monkeypatch.setattr(mutation, "GENERATIONS", 1)
    (verdict,) = verifying.run_tasks([alarm], [verifying.Search(alarm, 10, 0), chunk(alarm, instances=60)])
    assert verdict.verdict == "undecided"
    assert "neither floats nor balls decide" in verdict.note


def test_chunks_are_their_seed_recipe_and_index_only():
    def first(**changes):
        return chunk("trpo/tv", instances=3, **changes).drawn()[0].transition[0].ravel()[:4].tolist()

    streams = [first(index=0), first(index=1), first(seed=1), first(needs=frozenset({"unit-reward"}))]
    assert all(one != other for one, other in itertools.combinations(streams, 2))
    assert first(index=1) == streams[1]
    alone = chunk("trpo/tv", index=1).run()[0]
    together = chunk("coupling/tv", "trpo/tv", "trpo/tv-2", index=1).run()[1]
    assert alone == together


def test_the_plan_makes_up_the_number(small_chunks):
    own = [
        catalogue[id] for id in ("trpo/tv", "coupling/tv", "rate/npg-sharper", "problem/kl-tabular") if id in catalogue
    ]
    solved = next(c for c in catalogue.values() if c.problem is not None and c.step is None)
    tasks = plan([*own, solved], instances=650)
    by_claim = {}
    for task in tasks:
        for claim in task.claims if isinstance(task, Chunk) else [task.claim]:
            by_claim[claim.id] = by_claim.get(claim.id, 0) + task.instances
    assert set(by_claim.values()) == {650}
    assert len({task.name for task in tasks}) == len(tasks)
    assert sum(c.instances for c in chunks([catalogue["trpo/tv"]], 450, 0, shape=(5, 3), searched=200)) == 450


# --- tallies ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_tallies_add_up_in_any_order():
    parts = [tally for index in range(4) for tally in chunk(*SOME, index=index, instances=80).run()]
    straight = merged(parts)
    back = merged([*merged(parts[7:][::-1]).values(), *merged(parts[:7][::-1]).values()])
    assert list(straight) == list(SOME)
    assert to_bytes([straight[id] for id in SOME]) == to_bytes([back[id] for id in SOME])
    for id in SOME:
        mine = [tally for tally in parts if tally.claim == id]
        assert straight[id].instances == sum(tally.instances for tally in mine) == 320
        assert straight[id].effective == sum(tally.effective for tally in mine) > 200
        assert straight[id].trivial == sum(tally.trivial for tally in mine) == 320 - straight[id].effective
        assert straight[id].coverage.tried == {"random instances and zoo families": 320}
        low = min(tally.coverage.ranges["gamma"][0] for tally in mine)
        assert straight[id].coverage.ranges["gamma"][0] == low > 0
        assert straight[id].least.slack == min(tally.least.slack for tally in mine)
        kept = sorted({one for tally in mine for one in tally.worst}, key=lambda one: one.slack)
        assert [one.slack for one in straight[id].worst[:2]] == [one.slack for one in kept[:2]]


def test_a_table_gives_back_what_it_took():
    pd = pytest.importorskip("pandas")
    tallies = chunk(*SOME, instances=500, seed=6).run()
    tallies.append(dataclasses.replace(tallies[0], claim="π/ü", note="a\nb", least=Least(-np.inf), worst=()))
    content = to_bytes(tallies)
    again = from_bytes(content)
    assert to_bytes(again) == content
    assert [t.worst for t in again] == [t.worst for t in tallies]
    refuted = again[1].refuted
    assert settle(catalogue["trpo/tv-2"], refuted).lower == settle(catalogue["trpo/tv-2"], tallies[1].refuted).lower
    frame = pd.read_parquet(__import__("io").BytesIO(content))  # a reader of its own
    assert list(frame["claim"]) == [tally.claim for tally in tallies]
    assert frame["min_slack"].tolist() == [tally.least.slack for tally in tallies]
    for broken in (b"", content[:-1], content[: len(content) // 2], b"x" * 100):
        with pytest.raises(ValueError):  # noqa: PT011
            from_bytes(broken)


# --- who runs them ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_one_and_two_processes_leave_the_same_directory_and_verdicts(tmp_path, small_chunks):
    """Without searches to slow it down, and then with: the same bytes."""
    tasks = chunks([catalogue[id] for id in SOME], 400, 0, shape=(3, 2))
    one = {task.name: to_bytes(found) for task, found in execute(tasks)}
    two = {task.name: to_bytes(found) for task, found in execute(tasks, jobs=2)}
    assert one == two
    assert len(one) == 2


@pytest.mark.slow
def test_verify_is_the_same_with_a_directory_and_without(tmp_path, small_chunks):
    ids = ("coupling/tv", "order/upper")
    plain = verify(ids, instances=300, seed=3)
    written = verify(ids, instances=300, seed=3, out=tmp_path / "run")
    again = verify(ids, instances=300, seed=3, out=tmp_path / "run", resume=True)
    told = [[verdict.to_fields() for verdict in run] for run in (plain, written, again)]
    assert told[0] == told[1] == told[2]
    known = read_run(tmp_path / "run")
    for verdict in plain:
        tally = known[verdict.id]
        assert (tally.instances, tally.least.slack) == (verdict.instances, verdict.min_slack)
        assert min(one.slack for one in tally.worst) == verdict.min_slack


def test_claims_travel_by_name(tmp_path):
    file = tmp_path / "mine.py"
    text = "from trpo_theory import claim\n@claim('mine/a', statement='s')\ndef a(q):\n    return q.max_tv\n"
    file.write_text(text)
    (own,) = __import__("trpo_theory.claims.from_file", fromlist=["x"]).read_claims(file)
    assert portable(catalogue["trpo/tv"]) == "trpo/tv"
    assert restored("trpo/tv") is catalogue["trpo/tv"]
    assert restored(portable(own)).id == "mine/a"
    before, name = fingerprint(own), portable(own)
    file.write_text(text + "# other\n")
    assert fingerprint(own) == before  # see test_fingerprint.py for what changes it
    with pytest.raises(InvalidInput, match="not the one that the run began with"):
        restored(name._replace(digest="0" * 64))
    lambdas = [made(lambda q: 1), made(lambda q: 2), made(lambda q: 1)]
    first, second, third = map(fingerprint, lambdas)
    assert first == third != second
    assert slug("a/b") != slug("a-b")
    assert "/" not in slug("mine/[/four]")


def test_errors_of_claims_and_of_versions_come_back_as_they_are(monkeypatch):
    (tally,) = chunk(made(lambda q: q.nonsense)).run()
    assert "nonsense" in tally.error
    with pytest.raises(ClaimFailed, match="mine/made raised"):
        Screen(made(lambda q: q.nonsense))
    executing = sys.modules["trpo_theory.verification.execute"]
    with pytest.raises(InvalidInput, match="install that version on every worker"):
        executing._there(("0.0.0", chunk("trpo/tv")))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"states": 0}, "states = 0"),
        ({"actions": 0}, "actions = 0"),
        ({"resume": True}, "add --out DIR"),
        ({"dask": "nonsense"}, "no Dask scheduler at 'nonsense'|Dask's distributed"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(InvalidInput, match=message):
        verify("trpo/tv", instances=10, **options)


def test_two_claims_of_one_id_are_refused():
    with pytest.raises(InvalidInput, match="two claims of one id"):
        verify([made(lambda q: 1), made(lambda q: 2)], instances=10)


@pytest.mark.slow
def test_the_bounds_of_the_issue_hold_at_five_states_and_three_actions():
    """Every published max-KL and max-TV bound, without an alarm that is left."""
    ids = [id for id in bounds if id.endswith(("/kl", "/tv", "/max-tv"))]
    assert len(ids) > 8
    for tally in chunk(*ids, shape=(5, 3), instances=1000).run():
        assert tally.least.slack >= 0
        assert (tally.undecided, tally.unchecked, tally.near, tally.refuted) == (0, 0, 0, None)


def test_a_function_that_speaks_of_the_package_travels_to_another_process():
    """As those of a script do, which are sent by value, with the modules that they name."""
    from joblib import Parallel, delayed

    import trpo_theory as tt

    space = {"__name__": "__main__", "tt": tt, "bounds": tt.bounds, "claims": tt.claims}
    exec("def names(): return [module.__name__ for module in (tt, bounds, claims)]", space)
    found = Parallel(n_jobs=2)(delayed(space["names"])() for _ in range(2))
    assert found == [["trpo_theory", "trpo_theory.bounds", "trpo_theory.claims"]] * 2
