"""Names: a misspelt quantity is an error with the near one, and a quantity that is not known is another kind of error."""

import copy
import pickle

import pytest

from trpo_theory import bounds, zoo
from trpo_theory.errors import NotKnown, TrpoTheoryError
from trpo_theory.step.partial import KnownQuantities
from trpo_theory.step.quantities import Quantities, compare

OLD, NEW = [[0.5, 0.5], [0.5, 0.5]], [[0.4, 0.6], [0.5, 0.5]]
MISSPELT = {
    "max_abs_advantge": "max_abs_advantage",
    "expected_return_nw": "expected_return_new",
    "mean_KL": "mean_kl",
    "gama": "gamma",
}


def records():
    return compare(zoo.kakade(), OLD, NEW), KnownQuantities(gamma=0.5, max_kl=0.1)


@pytest.mark.parametrize("q", records(), ids=("all", "some"))
@pytest.mark.parametrize(("name", "meant"), MISSPELT.items())
def test_a_misspelt_quantity_names_the_near_one(q, name, meant):
    with pytest.raises(AttributeError, match=rf"^{name} is no quantity; did you mean .*\b{meant}\b.*\?$") as caught:
        getattr(q, name)
    assert caught.value.name == name
    assert not isinstance(caught.value, NotKnown)
    assert not hasattr(q, name)


def test_what_resembles_nothing_gets_no_hint():
    with pytest.raises(AttributeError, match=r"^xyzzy is no quantity$"):
        compare(zoo.kakade(), OLD, NEW).xyzzy  # noqa: B018


@pytest.mark.parametrize("name", ["max_tv", "advantage", "transition", "sum_s", "expected_return_new"])
def test_a_quantity_that_is_not_known_is_not_an_attribute_error(name):
    with pytest.raises(NotKnown, match=f"the quantity {name} is not known") as caught:
        getattr(KnownQuantities(gamma=0.5, max_kl=0.1), name)
    assert caught.value.name == name
    assert isinstance(caught.value, TrpoTheoryError)
    assert not isinstance(caught.value, AttributeError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.name, str(again)) == (NotKnown, name, str(caught.value))


def test_a_bound_of_what_is_known_is_computed_and_another_is_not():
    q = KnownQuantities(gamma=0.5, max_abs_advantage=3.0, max_tv=0.25)
    assert bounds.get("trpo/tv").penalty(q) == pytest.approx(4 * 3 * 0.5 / 0.25 / 16, rel=1e-15)
    with pytest.raises(NotKnown):
        bounds.get("trpo/kl").penalty(q)


def test_what_is_known_is_named_as_it_is_anywhere():
    with pytest.raises(AttributeError, match="did you mean max_kl"):
        KnownQuantities(gamma=0.5, max_kll=0.1)


def test_the_names_are_those_that_can_be_read():
    q = compare(zoo.kakade(), OLD, NEW)
    assert {name for name in vars(q) if not name.startswith("_")} <= Quantities.names()
    assert {"max_kl", "advantage", "sum_s", "sqrt", "gamma", "size"} <= Quantities.names()
    assert all(hasattr(q, name) for name in Quantities.names())


def test_an_error_within_a_quantity_is_not_hidden():
    class Broken(Quantities):
        @property
        def value(self):
            return [].nonsense

    q = compare(zoo.kakade(), OLD, NEW)
    q.__class__ = Broken
    with pytest.raises(AttributeError, match="'list' object has no attribute 'nonsense'"):
        q.value  # noqa: B018


def test_copies():
    q = compare(zoo.kakade(), OLD, NEW)
    assert copy.copy(q).max_kl == copy.deepcopy(q).max_kl == q.max_kl


def test_max_chi2_is_the_largest_of_the_states():
    q = compare(zoo.kakade(), OLD, NEW)
    assert q.max_chi2 == pytest.approx(0.1**2 / 0.4 + 0.1**2 / 0.6, rel=1e-13)
