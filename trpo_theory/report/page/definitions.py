"""`Definitions`: what each symbol and word of the page means, in one place that the page begins with."""

from __future__ import annotations

from dataclasses import dataclass

from trpo_theory.report.page.statement import prose
from trpo_theory.report.page.templating import render

Entry = tuple[str, str]
"""What is defined, and its definition; both may have $LaTeX$ and `code`."""

SETTING: tuple[Entry, ...] = (
    (r"$S$, $A$", "the numbers of states and of actions of a finite Markov decision process (MDP)"),
    (r"$P(s'\mid s,a)$, $r(s,a)$", "the transition probabilities, and the mean reward of action $a$ in state $s$"),
    (r"$\gamma$", "the discount, at least 0 and below 1; $1/(1-\\gamma)$ is the horizon, in steps"),
    (r"$\rho_0$", "the distribution of the first state"),
    (r"$T$", "the number of steps, where an MDP ends after so many instead of being discounted"),
    (
        r"$\pi$, $\tilde\pi$",
        "the old policy, at which we stand, and a new one; a policy is a distribution over actions in each state",
    ),
    (
        r"$\eta(\pi)$",
        "the return of a policy: the expected discounted sum of rewards from $\\rho_0$. In tables eta(old), eta(new)",
    ),
    (r"$\eta^*$", "the return of an optimal policy"),
    (r"$V$, $Q$, $A$", "values of states, values of actions, and advantages $A=Q-V$, of the old policy"),
    (r"$\rho$, $d$", "the expected discounted visits of each state, and $d=(1-\\gamma)\\rho$, a distribution"),
)
STEP: tuple[Entry, ...] = (
    (
        r"$L_\pi(\tilde\pi)$",
        "the surrogate: the return of the new policy with the old one's visits, "
        "$\\eta(\\pi)+\\sum_s\\rho_\\pi(s)\\sum_a\\tilde\\pi(a\\mid s)A_\\pi(s,a)$",
    ),
    (
        r"$\bar A(s)$",
        "the expected advantage of the new policy in state $s$, $\\sum_a\\tilde\\pi(a\\mid s)A_\\pi(s,a)$",
    ),
    (r"$\epsilon$", "the largest absolute advantage, $\\max_{s,a}|A_\\pi(s,a)|$"),
    (
        r"KL, nats",
        "the Kullback-Leibler divergence of the old from the new distribution of actions, with natural logarithms",
    ),
    (r"max-KL, $D$", "the largest KL of any state"),
    (r"mean-KL", "the mean of KL over states under $d_\\pi$"),
    (
        r"$\alpha$, TV",
        "the largest total variation of any state: half the sum of absolute differences of probabilities",
    ),
    (
        r"$\chi^2$",
        "the chi-square divergence $\\sum_a(\\tilde\\pi-\\pi)^2/\\pi$ of the new from the old policy; $c$ "
        "is its largest value",
    ),
    (r"$M$", "a lower bound on the return of the new policy: $M=L-$ penalty"),
    (
        r"penalty",
        "what a bound takes off $L$; many are $C$ times a divergence, and a bound is named "
        "paper/divergence, such as `trpo/kl`",
    ),
    (
        r"slack",
        "by how much an inequality holds; negative where it fails. Of a lower bound it is $\\eta(\\tilde\\pi)-M$",
    ),
    (r"certified", "a step with $M>\\eta(\\pi)$: it is sure to raise the return"),
    (
        r"sharp gap, $G$",
        "the largest $(L-\\eta(\\tilde\\pi))/\\epsilon$ over all finite MDPs at a discount and a "
        "divergence: no penalty in these can be smaller",
    ),
    (r"CV", "the coefficient of variation of $\\bar A$ under $d_\\pi$: its standard deviation over its mean"),
    (r"clip", "the largest $|\\tilde\\pi/\\pi-1|$ that an update allows"),
)
PROBLEMS: tuple[Entry, ...] = (
    (
        r"penalty problem",
        "maximise $L_\\pi(\\tilde\\pi)-C\\,$max-KL; its solution cannot lower the return if $C$ is that of "
        "a true bound. (11) in the documentation",
    ),
    (r"max-KL problem", "maximise $L_\\pi(\\tilde\\pi)$ with max-KL at most $\\delta$; (12)"),
    (
        r"mean-KL problem",
        "maximise $L_\\pi(\\tilde\\pi)$ with mean-KL at most $\\delta$; (13), which TRPO approximates",
    ),
    (r"$\delta$", "the radius of a trust region, in nats"),
    (
        r"dual, Clarabel, SCS",
        "solvers: the toolkit's own, which solves the dual problem to rounding, and two general conic solvers",
    ),
    (
        r"gap",
        "how much better than a solution any policy of the class could be: what is certified of a solver's answer",
    ),
    (r"policy iteration", "takes the best action of $Q$ in every state, again and again"),
    (
        r"shared row",
        "several states that must take the same distribution over actions, as a coarse policy class makes them",
    ),
)
VERDICTS: tuple[Entry, ...] = (
    (r"refuted", "a counterexample, the witness, is proved to violate the claim"),
    (r"proved", "for all finite MDPs and policies that meet the hypotheses; how is said beside it"),
    (r"unrefuted", "no counterexample was found, which does not say that there is none"),
    (r"expected", "what the catalogue says should come out: true, false or open"),
    (r"instances, effective", "what a claim was run on, and how many of these put it to the test"),
    (r"least slack", "the smallest slack over the effective instances"),
)
OTHERS: tuple[Entry, ...] = (
    (
        r"$\theta$",
        "parameters of a policy; in bounds on rates the mismatch of the optimal policy's visits and $\\rho_0$",
    ),
    (r"$\tau$", "a temperature, the price of entropy; in bounds on mixing, a mixing time"),
    (r"$\lambda$, $\mu$, $\nu$", "multipliers of constraints"),
    (r"$\sigma$", "a standard deviation; $\\sigma_s$ is that of $A_\\pi(s,\\cdot)$ under $\\pi$"),
    (
        r"$\kappa$",
        "$\\sqrt{\\gamma c/(1-\\gamma(1+c))}$, a bound on the spread of the ratio of visits; for average "
        "rewards, Kemeny's constant",
    ),
    (
        r"$\beta$",
        "a second policy by which states were visited, or what all actions lead to alike; in rules, an exponent",
    ),
    (r"$\xi$", "$T\\max|r|$, in bounds of language models' training"),
    (r"$\Pi$", "a class of policies; $\\Pi_s$ is what it allows in state $s$"),
    (r"$\Delta_k$", "what is missing to the optimal return after $k$ updates"),
    (r"$\mathrm{Li}$", "the polylogarithm; $\\mathrm{Li}_{-1/2}(\\gamma)=\\sum_t\\sqrt t\\,\\gamma^t$"),
)


@dataclass(frozen=True)
class Definitions:
    """All of them, in groups that a reader can look through."""

    def to_html(self) -> str:
        """A `<dl>` a group."""
        groups = [
            ("The problem", SETTING),
            ("A step and its bounds", STEP),
            ("Updates", PROBLEMS),
            ("Verdicts", VERDICTS),
            ("Other letters in statements", OTHERS),
        ]
        shown = [(title, [(prose(word), prose(text)) for word, text in entries]) for title, entries in groups]
        return render("definitions.html.j2", groups=shown)
