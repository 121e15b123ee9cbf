"""False claims about the divergences of one row of a policy."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

from experiments.power import examples
from experiments.power.case import DIVERGENCES, Case, Formula, stated, true

H = F(1, 2)


def _divergences() -> list[Case]:
    def row(*pairs: tuple[Any, Any]) -> Any:
        return lambda: examples.rows([F(old) for old, _ in pairs], [F(new) for _, new in pairs])

    even = row((H, H - F(1, 100)), (H, H + F(1, 100)))
    swapped = row((F(1, 4), F(3, 4)), (F(3, 4), F(1, 4)))
    apart = row((F(1), F(0)), (F(0), F(1)))
    fourth, sixth = F(1, 4), F(1, 6)
    e = F(1, 100)
    squared: Formula = lambda q: q.tv**2  # noqa: E731
    f = DIVERGENCES
    return [
        stated(
            "0.49 kl >= tv^2",
            f,
            lambda q: 0.49 * q.kl,
            squared,
            0.02,
            even,
            "Pinsker's constant is sharp for small steps",
        ),
        stated(
            "0.4999 kl >= tv^2",
            f,
            lambda q: 0.4999 * q.kl,
            squared,
            0.0002,
            row((H, H - e / 10), (H, H + e / 10)),
            "likewise",
        ),
        stated(
            "0.99 (1 - exp(-kl)) >= tv^2",
            f,
            lambda q: 0.99 * (1 - q.exp(-q.kl)),
            squared,
            0.01,
            row((F(1), F(1, 10**6)), (F(0), 1 - F(1, 10**6))),
            "Bretagnolle-Huber is attained where old and new part",
        ),
        stated(
            "0.99 chi2 >= kl",
            f,
            lambda q: 0.99 * q.chi2,
            lambda q: q.kl,
            0.01,
            row((F(1), 1 - F(1, 1000)), (F(0), F(1, 1000))),
            "both are q + O(q^2) where old is deterministic and new leaves it with q",
        ),
        stated(
            "0.99 hellinger2 (2 - hellinger2) >= tv^2",
            f,
            lambda q: 0.99 * q.hellinger2 * (2 - q.hellinger2),
            squared,
            0.01,
            swapped,
            "an equality for (p, 1 - p) and (1 - p, p)",
        ),
        stated(
            "0.99 tv >= hellinger2",
            f,
            lambda q: 0.99 * q.tv,
            lambda q: q.hellinger2,
            0.01,
            apart,
            "both are 1 where old and new have nothing in common",
        ),
        stated(
            "0.69 tv >= jensen-shannon",
            f,
            lambda q: 0.69 * q.tv,
            lambda q: q.jensen_shannon,
            0.00455,
            apart,
            "log 2 = 0.6931 is attained where old and new have nothing in common",
        ),
        stated(
            "0.25 chi2 >= tv^2, less one per mille",
            f,
            lambda q: 0.24975 * q.chi2,
            squared,
            0.001,
            row((H - F(1, 10**4), H), (H + F(1, 10**4), H)),
            "an equality for an even new",
        ),
        stated(
            "1.9 max |new - old| >= tv",
            f,
            lambda q: 1.9 * q.max_a(abs(q.new - q.old)),
            lambda q: q.tv,
            0.05,
            row((fourth, fourth + e), (fourth, fourth - e), (fourth, fourth + e), (fourth, fourth - e)),
            "A/2 is needed for an even number A of actions: true for fewer than 4",
        ),
        stated(
            "2.9 max |new - old| >= tv",
            f,
            lambda q: 2.9 * q.max_a(abs(q.new - q.old)),
            lambda q: q.tv,
            1 / 30,
            row(*[(sixth, sixth + e), (sixth, sixth - e)] * 3),
            "likewise: true for fewer than 6 actions",
        ),
        stated(
            "1.45 sum (new - old)^2 >= tv^2",
            f,
            lambda q: 1.45 * q.sum_a((q.new - q.old) ** 2),
            squared,
            1 / 30,
            row(*[(sixth, sixth + e), (sixth, sixth - e)] * 3),
            "A/4 is needed: true for fewer than 6 actions",
        ),
        stated(
            "max_tv >= 0.06 where kl is in [8, inf)",
            f,
            lambda q: q.max_tv,
            lambda q: 0.06 + 0 * q.max_tv,
            1 / 6,
            row((F(1, 20), F(1, 10**80)), (F(19, 20), 1 - F(1, 10**80))),
            "new takes an action of old's with e^-184",
            given=lambda q: (q.max_kl >= 8) & (q.max_kl < float("inf")),
        ),
        stated(
            *("max_kl at most 50 where it is finite", f, lambda q: 50 + 0 * q.max_kl, lambda q: q.max_kl, 0.27),
            row((H, F(1, 10**60)), (H, 1 - F(1, 10**60))),
            "probabilities of 1e-60",
            given=lambda q: q.max_kl < float("inf"),
        ),
        stated(
            *("max_chi2 at most 1e12 where it is finite", f, lambda q: 1e12 + 0 * q.max_kl, lambda q: q.max_chi2, 1.0),
            row((H, F(1, 10**20)), (H, 1 - F(1, 10**20))),
            "probabilities of 1e-20",
            given=lambda q: q.max_chi2 < float("inf"),
        ),
        true("0.5 kl >= tv^2", f, lambda q: 0.5 * q.kl, squared, "Pinsker"),
        true("chi2 >= kl", f, lambda q: q.chi2, lambda q: q.kl, "log x <= x - 1"),
        true("tv >= hellinger2", f, lambda q: q.tv, lambda q: q.hellinger2, "min(p, q) <= sqrt(p q)"),
        true("0.6932 tv >= jensen-shannon", f, lambda q: 0.6932 * q.tv, lambda q: q.jensen_shannon, "log 2 = 0.69315"),
    ]


CASES = _divergences()
