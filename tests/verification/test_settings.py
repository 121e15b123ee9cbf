"""Claims of other settings than discounted returns: instances are drawn for them, counterexamples found, shrunk and certified."""

from __future__ import annotations

import numpy as np
import pytest
from cheap import sampled, two_instruments

import trpo_theory as tt
from trpo_theory.bounds.record import Claim
from trpo_theory.bounds.setting import SETTINGS
from trpo_theory.errors import InvalidInput
from trpo_theory.search.battery import random_instances
from trpo_theory.search.impose import impose
from trpo_theory.search.instruments import mutation
from trpo_theory.search.mutation import mutated
from trpo_theory.solve.criteria import CRITERIA
from trpo_theory.step.exact import ExactInstance
from trpo_theory.step.fields import AXES
from trpo_theory.step.instances import Instances
from trpo_theory.step.posing import posed


def made(name, formula, **details) -> Claim:
    return Claim(f"mine/{name}", formula, "a claim of a setting", **details)


def difference(q):
    """The performance difference, with the definition of each side."""
    return q.expected_return_new - q.expected_return_old - q.sum_s(q.visitation_new * q.expected_advantage)


def hard_difference(q):
    """Without the entropies: no identity where there is a temperature."""
    hard = q.sum_a(q.new * q.advantage)
    return q.expected_return_new - q.expected_return_old - q.sum_s(q.visitation_new * hard)


def by_the_model(q):
    """A wrong simulation lemma: the return of old under the model is no smaller."""
    return q.replaced(transition=q.model).expected_return_old - q.expected_return_old


def of_references(q):
    """A wrong claim: the mixture of the references visits as old does."""
    mixed = sum(
        q.weights[j] * q.replaced(old=q.references[:, :, j]).visitation_old for j in range(q.references.shape[2])
    )
    return -q.sum_s(abs(mixed - q.visitation_old))


FALSE = (
    made("horizon", lambda q: q.surrogate_gap + q.max_abs_advantage * q.max_tv**2 * q.horizon, horizon=True),
    made("average", lambda q: q.surrogate_gap + q.max_abs_expected_advantage * q.max_tv, criterion="average"),
    made("episodic", lambda q: q.surrogate_gap + q.max_abs_expected_advantage * q.max_tv, criterion="episodic"),
    made("soft", hard_difference, temperature=True, relation="="),
    made("soft-gap", lambda q: q.surrogate_gap, temperature=True),
    made("cost", lambda q: q.cost("c").surrogate_gap, costs="c"),
    made("two-costs", lambda q: q.cost("a").surrogate_gap + q.cost("b").surrogate_gap, costs=("a", "b")),
    made("model", by_the_model, model=True),
    made("references", of_references, references=True),
)


@sampled("claim", FALSE, ids=lambda claim: claim.id, every=2)
def test_a_false_claim_of_each_setting_is_refuted_and_certified(claim):
    found = tt.falsify(claim)
    assert found.verdict == "refuted"
    assert found.witness is not None
    certificate = tt.certify(found.witness, claims=[claim])
    assert certificate.certified, certificate.disagreements
    lacking = {name for name in claim.setting & AXES.keys() if getattr(found.witness.instance, name) is None}
    assert not lacking


@pytest.mark.parametrize(
    "setting", [{}, {"horizon": True}, {"temperature": True}, *({"criterion": c} for c in CRITERIA)]
)
def test_the_performance_difference_holds_in_every_setting(setting, monkeypatch):
    two_instruments(monkeypatch)
    monkeypatch.setattr(mutation, "GENERATIONS", 10)
    (verdict,) = tt.verify(made("difference", difference, relation="=", **setting), instances=400)
    assert verdict.verdict == "unrefuted"
    assert verdict.effective > 100


def test_a_claim_is_read_on_instances_with_what_its_setting_has():
    claim = made("all", lambda q: q.max_tv, horizon=True, temperature=True, costs="c", model=True, references=True)
    assert claim.setting == SETTINGS - CRITERIA.keys()
    drawn = impose(random_instances(np.random.default_rng(0), 30, 3, 2), claim.instance_needs)
    for instances in (drawn, mutated(drawn, np.random.default_rng(1))):
        for name in claim.setting:
            shape = [{"s": 3, "a": 2, "k": 2, "j": 2}[axis] for axis in AXES[name]]
            assert getattr(instances, name).shape == (30, *shape), name
        np.testing.assert_allclose(instances.model.sum(-1), 1, atol=1e-12)
        np.testing.assert_allclose(instances.references.sum(2), 1, atol=1e-12)
        np.testing.assert_allclose(instances.weights.sum(-1), 1, atol=1e-12)
        assert (instances.temperature > 0).all()
        assert (instances.horizon >= 1).all()
        for index in (0, 7):
            back = Instances.unpacked(instances.packed(index), *instances.shape)
            for name, array in back.arrays().items():
                np.testing.assert_array_equal(array[0], getattr(instances, name)[index])
            exact = instances.exact(index)
            again = ExactInstance.from_fields(exact.to_fields())
            assert all(np.array_equal(getattr(again, name), getattr(exact, name)) for name in AXES if name != "groups")
    assert not (drawn.horizon == mutated(drawn, np.random.default_rng(1)).horizon).all()


@pytest.mark.parametrize("word", sorted(CRITERIA))
def test_instances_of_a_criterion_are_allowed_by_it(word):
    claim = made("allowed", lambda q: q.max_tv, criterion=word)
    drawn = impose(random_instances(np.random.default_rng(3), 60, 4, 3), claim.instance_needs)
    assert np.mean(np.broadcast_to(claim.met(claim.stepped(drawn.quantities())), 60)) > 0.5


def test_a_discounted_claim_is_not_read_at_gamma_1():
    claim = tt.claims.get("trpo/kl")
    one = ExactInstance(transition=[[[1]]], reward=[[0]], gamma=1, initial=[1], old=[[1]], new=[[1]])
    with pytest.raises(InvalidInput, match="gamma = 1 for trpo/kl"):
        claim.stepped(one.quantities())


def test_a_bound_of_another_setting_is_not_shown():
    mdp = tt.zoo.coupling_tight(gamma=0.5, x=0.25)
    q = tt.compare(mdp.mdp, mdp.old, mdp.new)
    assert {check.id for check in tt.bounds.check_all(q)} == set(tt.bounds.plain())
    over = tt.compare(mdp.mdp, mdp.old, mdp.new, horizon=3)
    ids = {check.id for check in tt.bounds.check_all(over)}
    assert ids == {name for name, bound in tt.bounds.catalogue.items() if bound.setting == {"horizon"}} != set()


@pytest.mark.parametrize(
    ("details", "words"),
    [({"criterion": "undiscounted"}, "discounted"), ({"criterion": "average", "horizon": True}, "one of both")],
)
def test_a_setting_that_is_none_is_refused(details, words):
    with pytest.raises(InvalidInput, match=words):
        made("wrong", lambda q: q.max_tv, **details)


def test_a_batch_of_several_horizons_earns_no_entropy_after_its_runs():
    """max|Abar| of each of a batch is that of the step alone: layers that a shorter run does not have add nothing."""
    lengths = np.array([1, 3, 2, 1, 4])
    drawn = random_instances(np.random.default_rng(0), 5, 3, 2).replace(
        horizon=lengths, temperature=np.full(5, 3.0), available=np.ones((5, 3, 2), dtype=bool)
    )
    q = posed(drawn.quantities(), CRITERIA["discounted"], horizon=True, temperature=True)
    for index, steps in enumerate(lengths):
        mdp = tt.FiniteMDP(
            drawn.transition[index], drawn.reward[index], float(drawn.gamma[index]), drawn.initial[index]
        )
        alone = tt.compare(mdp, drawn.old[index], drawn.new[index], horizon=int(steps), temperature=3.0)
        for name in ("max_abs_expected_advantage", "max_abs_advantage", "surrogate"):
            np.testing.assert_allclose(getattr(q, name)[index], getattr(alone, name), rtol=1e-9, err_msg=name)
