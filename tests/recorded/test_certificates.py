"""Which updates of a run are certified: closed forms in plain NumPy, exact returns, and the whole of it on the command line."""

import json

import exact
import numpy as np
import pytest

import trpo_theory as tt
from trpo_theory.cli import main
from trpo_theory.recorded.certificates import CERTIFICATES

GAMMA = 0.8


@pytest.fixture(scope="module")
def recorded():
    """Towards the best policy, by ever longer steps; then back, and a step that takes an action old never takes."""
    rng = np.random.default_rng(1)
    mdp = tt.FiniteMDP(rng.dirichlet(np.ones(4), (4, 3)), rng.normal(size=(4, 3)), GAMMA, np.eye(4)[0])
    best = tt.optimal(mdp).policy
    policies = [rng.dirichlet(3 * np.ones(3), 4)]
    policies += [tt.mixture(policies[-1], best, size) for size in (0.02,)]
    policies += [tt.mixture(policies[-1], best, 0.2)]
    policies += [tt.mixture(policies[-1], best, 0.7)]
    policies += [policies[0], best, policies[0]]
    return mdp, np.array(policies), tt.audit(mdp, np.array(policies))


def three_numbers(mdp, old, new):
    """c, mean and sd of Ā over d_old, from the definitions."""
    chain = np.eye(4) - GAMMA * np.einsum("sa,sat->st", old, mdp.transition)
    value = np.linalg.solve(chain, (old * mdp.reward).sum(1))
    a = (new * (mdp.reward + GAMMA * mdp.transition @ value)).sum(1) - value
    weight = (1 - GAMMA) * np.linalg.solve(chain.T, mdp.initial)
    with np.errstate(divide="ignore", invalid="ignore"):
        c = np.where(old == new, 0, (new - old) ** 2 / old).sum(1).max()
    return c, weight @ a, np.sqrt(weight @ (a - weight @ a) ** 2)


def test_the_first_certificate_is_its_closed_form(recorded):
    """Along a line c grows with t² and CV stays: the share is √((1 − γ)/(γ (1 + CV²) c)), 1 at most."""
    mdp, policies, audit = recorded
    found = audit.certificates["chi2/expected-advantage"]
    seen = set()
    for k in range(audit.updates):
        c, mean, sd = three_numbers(mdp, policies[k], policies[k + 1])
        wanted = 0.0 if mean <= 0 else min(1.0, np.sqrt((1 - GAMMA) / GAMMA * mean**2 / (mean**2 + sd**2) / c))
        assert found.share[k] == pytest.approx(wanted, rel=5e-3, abs=1e-12)
        assert found.share[k] <= wanted
        assert found.certified[k] == (wanted == 1)
        seen.add("all" if wanted == 1 else "none" if wanted == 0 else "some")
    assert seen == {"all", "some", "none"}


def exact_return(mdp, policy):
    rows = exact.rationals(policy)
    rows = np.array([row / sum(row, exact.rational(0)) for row in rows])
    transition = exact.rationals(mdp.transition)
    for row in transition.reshape(-1, 4):
        row /= sum(row, exact.rational(0))
    return exact.ExactPolicy(transition, mdp.reward, GAMMA, mdp.initial, rows).expected_return


def test_what_is_certified_raises_the_return_exactly(recorded):
    mdp, policies, audit = recorded
    for found in audit.certificates.values():
        for k, share in enumerate(found.share):
            old, new = policies[k], policies[k + 1]
            if share > 0:
                taken = old + share * (new - old)
                gained = exact.nearest(exact_return(mdp, taken) - exact_return(mdp, old))
                assert gained > 0
                assert not found.certified[k] or gained >= found.promise[k] > 0
            assert found.promise[k] <= audit.return_change[k] + audit.return_rounding[k]


def test_each_rung_of_the_ladder_allows_more(recorded):
    _, _, audit = recorded
    first, second, *_ = (audit.certificates[name].share for name in CERTIFICATES)
    assert (second >= first).all()
    assert (second > first).any()


def test_the_certificate_of_each_update_is_the_one_that_promises_most(recorded):
    _, _, audit = recorded
    for k, name in enumerate(audit.certified_by):
        promises = {one.id: one.promise[k] for one in audit.certificates.values() if one.certified[k]}
        assert name == (max(promises, key=lambda id: promises[id]) if promises else "")
    frame = audit.certificate_frame().set_index("bound")
    assert list(frame.index) == list(CERTIFICATES)
    assert frame.loc["chi2/mean-max", "certified"] == audit.certificates["chi2/mean-max"].certified.mean()
    assert "certified share chi2/mean-max" in audit.to_frame().columns


def test_they_are_left_out_on_request(recorded):
    mdp, policies, _ = recorded
    audit = tt.audit(mdp, policies, certify=False)
    assert audit.certificates == {}
    assert audit.certified_by == ("",) * audit.updates
    assert audit.certificate_frame().empty


def test_states_after_the_end_do_not_inflate_the_step():
    """A network drifts at the ends of an episode: what is certified of the update stays certified."""
    mdp = tt.load("gym:FrozenLake-v1", gamma=0.9)
    old = tt.uniform(mdp.available)
    new = tt.update(mdp, old, tt.ReverseMaxChi2(0.003)).policy
    drifted = new.copy()
    drifted[[5, 7, 11, 12, 15]] = [0.97, 0.01, 0.01, 0.01]
    still, moved = (tt.audit(mdp, [old, last]).certificates for last in (new, drifted))
    for name in CERTIFICATES:
        assert moved[name].certified[0]
        assert moved[name].promise == pytest.approx(still[name].promise, rel=1e-12)


def test_the_command_line_says_it_of_each_update(recorded, tmp_path, capsys):
    mdp, policies, audit = recorded
    tt.io.write_run(tt.io.run_of(policies, mdp), tmp_path / "run.npz")
    assert main(["audit", str(tmp_path / "run.npz"), "--json"]) == 0
    updates = json.loads(capsys.readouterr().out)["updates"]
    for k, update in enumerate(updates):
        assert update["certified_by"] == (audit.certified_by[k] or None)
        assert [one["id"] for one in update["certificates"]] == list(CERTIFICATES)
        assert all(one.keys() == {"id", "promise", "certified", "share"} for one in update["certificates"])
        assert update["certificates"][1]["share"] == audit.certificates["chi2/mean-max"].share[k]
    assert main(["audit", str(tmp_path / "run.npz")]) == 0
    shown = capsys.readouterr().out
    assert "median share" in shown
    assert "certified by" in shown
