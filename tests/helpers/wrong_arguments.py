"""Every public function with one argument of the wrong type: run as a script, since pytest checks types at run time itself.

Each entry of `calls` has valid arguments; one of them at a time is replaced by each of `WRONG`. What is raised must be an
error of the package; the script writes the others, and public functions that have no entry.
"""

import inspect
import os
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from update_arguments import MDP, NEW, OLD, STEP, defaults, of_searches, of_updates

import trpo_theory as tt
from trpo_theory import bounds, claims, integrations, io, landscape, report, updates, verification, zoo
from trpo_theory.numerics import divergence, polylog
from trpo_theory.testing import strategies, targeted

WRONG = (None, 3, "x", object(), {}, [object()], np.eye(2))
HERE = Path(tempfile.mkdtemp())
RUN = io.run_of([OLD, NEW], MDP)
AUDIT = tt.audit(RUN, certify=False)
WITNESS = {"transition": MDP.transition.tolist(), "reward": [[0, 1], [2, 0]], "initial": [1, 0], "gamma": 0.9}
FRAME = pd.DataFrame({"x": [1, 2, 3], "y": [1.0, 2.0, 3.0], "g": ["a", "a", "b"]})
SAMPLE = tt.sampled_slacks("trpo/tv", instances=50)
VERIFICATION = tt.verify(["id/flow"], instances=50, proofs=False)


def slack(q):
    """A claim's formula."""
    return q.surrogate_gap


def built(**arguments):
    """A claim by the decorator."""
    formula = arguments.pop("formula")
    return tt.claim(**arguments)(formula)


def files():
    """Files that readers read."""
    io.write_mdp(MDP, HERE / "m.json")
    io.write_mdp(MDP, HERE / "m.npz", old=OLD)
    io.write_run(RUN, HERE / "run.npz")
    (HERE / "t.csv").write_text("state,action,successor,probability,reward\n0,0,0,1,1\n")
    (HERE / "g.txt").write_text("0 0\n")


def made(name):
    """A zoo's maker with its own defaults; one that draws has a generator."""
    function = getattr(zoo, name)
    own = {"generator": np.random.default_rng(0), "shape": (2, 2), "name": "forest"}
    return function, defaults(
        function, **{key: own[key] for key in inspect.signature(function).parameters if key in own}
    )


ZOO = [name for name in zoo.__all__ if inspect.isfunction(getattr(zoo, name))]
DIVERGENCES = ("kl", "tv", "chi2", "jeffreys", "jensen_shannon", "hellinger2")
CLAIM = {"id": "mine/a", "formula": slack, "statement": "s"}
LINES = {"frame": FRAME, "x": "x", "y": "y", "by": "g", "xlabel": "x", "ylabel": "y"}


def calls():
    """By name, a function and valid arguments."""
    figure = report.bars(**LINES)
    table = report.Table(FRAME, caption="c", label="l")
    return {
        "FiniteMDP": (tt.FiniteMDP, defaults(tt.FiniteMDP, transition=MDP.transition, reward=MDP.reward, gamma=0.9)),
        "StateAggregation": (tt.StateAggregation, {"groups": [0, 1]}),
        "Claim": (tt.Claim, defaults(tt.Claim, **CLAIM)),
        "Bound": (bounds.Bound, defaults(bounds.Bound, **CLAIM)),
        "claim": (built, {**CLAIM, "source": "", "given": None, "relation": ">=", "expected": True, "costs": ()}),
        "audit": (tt.audit, defaults(tt.audit, mdp=MDP, policies=[OLD, NEW], certify=False)),
        "certify": (tt.certify, {"evidence": WITNESS, "claims": None}),
        "certify_bounds": (
            tt.certify_bounds,
            defaults(tt.certify_bounds, mdp=MDP, old=OLD, new=NEW, bounds=["trpo/tv"]),
        ),
        "certify_update": (
            tt.certify_update,
            defaults(tt.certify_update, solution=tt.update(MDP, OLD, tt.MaxKL(0.01))),
        ),
        "check": (tt.check, {"claim": "trpo/tv", "instances": 20, "seed": 0}),
        "compare": (tt.compare, defaults(tt.compare, mdp=MDP, old=OLD, new=NEW)),
        "evaluate": (tt.evaluate, defaults(tt.evaluate, mdp=MDP, policy=OLD)),
        "finite_horizon": (tt.finite_horizon, {"mdp": MDP, "horizon": 3}),
        "greedy": (tt.greedy, {"q_value": OLD, "available": MDP.available}),
        "softmax": (tt.softmax, {"logits": OLD, "available": MDP.available}),
        "uniform": (tt.uniform, {"available": MDP.available}),
        "mixture": (tt.mixture, {"old": OLD, "target": NEW, "weight": 0.5}),
        "load": (tt.load, {"source": "zoo:forest", "gamma": 0.9, "strict": False}),
        "load_aggregation": (tt.load_aggregation, {"spec": HERE / "g.txt"}),
        "load_policy": (tt.load_policy, {"spec": "uniform", "source": MDP}),
        "optimal": (tt.optimal, defaults(tt.optimal, mdp=MDP)),
        "prove": (tt.prove, defaults(tt.prove, claim="trpo/kl")),
        "sampled_slacks": (tt.sampled_slacks, defaults(tt.sampled_slacks, claim="trpo/tv", instances=20)),
        "verify": (tt.verify, {"which": ["id/flow"], "instances": 20, "resume": False, "proofs": False}),
        **{f"zoo.{name}": made(name) for name in ZOO},
        "zoo.make, random": (zoo.make, {"name": "garnet", "states": 5, "seed": 0}),
        "io.from_mdptoolbox": (
            io.from_mdptoolbox,
            {"transitions": MDP.transition.swapaxes(0, 1), "reward": MDP.reward, "gamma": 0.9, "initial": None},
        ),
        "io.from_triplets": (
            io.from_triplets,
            {
                "state": [0],
                "action": [0],
                "successor": [0],
                "probability": [1],
                "reward": [1],
                "gamma": 0,
                "costs": None,
            },
        ),
        "io.mdp_from_fields": (
            io.mdp_from_fields,
            {"fields": io.read_fields(HERE / "m.json"), "gamma": 0.9, "source": ""},
        ),
        "io.parse_options": (io.parse_options, {"query": "a=1"}),
        "io.policy_entries": (io.policy_entries, {"path": HERE / "m.npz", "name": "old"}),
        "io.read_fields": (io.read_fields, {"path": HERE / "m.json", "exact": False, "what": "an MDP"}),
        "io.read_integers": (io.read_integers, {"path": HERE / "g.txt"}),
        "io.read_mdp": (io.read_mdp, {"path": HERE / "m.json", "gamma": 0.9}),
        "io.read_policy": (io.read_policy, {"path": HERE / "m.npz", "name": "old"}),
        "io.read_run": (io.read_run, {"path": HERE / "run.npz", "mdp": MDP, "gamma": None}),
        "io.read_triplets": (io.read_triplets, defaults(io.read_triplets, path=HERE / "t.csv", gamma=0.9)),
        "io.run_of": (io.run_of, defaults(io.run_of, policies=[OLD, NEW], mdp=MDP)),
        "io.to_quantecon": (io.to_quantecon, {"mdp": None}),
        "io.write_fields": (io.write_fields, {"fields": {"a": [1.0]}, "path": HERE / "f.npz"}),
        "io.write_mdp": (io.write_mdp, {"mdp": MDP, "path": HERE / "w.json", "old": OLD}),
        "io.write_run": (io.write_run, {"run": RUN, "path": HERE / "r.npz"}),
        "bounds.average_of": (bounds.average_of, {"bound": bounds.get("trpo/tv")}),
        "bounds.check_all": (bounds.check_all, {"q": STEP}),
        "bounds.get": (bounds.get, {"bound_id": "trpo/tv"}),
        "bounds.to_frame": (bounds.to_frame, {"checks": bounds.check_all(STEP)}),
        "claims.checked_own": (claims.checked_own, {"own": []}),
        "claims.get": (claims.get, {"claim_id": "id/flow"}),
        "claims.selected": (claims.selected, {"names": ["id/flow"], "own": (), "listing": ""}),
        "report.Table": (
            report.Table,
            defaults(report.Table, frame=FRAME, caption="c", label="l", headings={}, digits={}),
        ),
        "report.audit_figure": (report.audit_figure, defaults(report.audit_figure, audit=AUDIT)),
        "report.bars": (report.bars, defaults(report.bars, **LINES)),
        "report.lines": (report.lines, defaults(report.lines, **LINES)),
        "report.learning_curves": (report.learning_curves, {**LINES, "band": (0.1, 0.9)}),
        "report.bounds_table": (report.bounds_table, defaults(report.bounds_table, rows=bounds.check_all(STEP))),
        "report.hasse_diagram": (report.hasse_diagram, defaults(report.hasse_diagram, pairs=[("a", "b")])),
        "report.quantities_table": (
            report.quantities_table,
            defaults(report.quantities_table, fields={"a": 1.0}, caption="c", label="l"),
        ),
        "report.save": (report.save, {"figure": figure, "directory": HERE, "name": "n"}),
        "report.save_as": (report.save_as, {"figure": figure, "path": HERE / "n.png"}),
        "report.show": (report.show, defaults(report.show, value=1.5)),
        "report.slack_histogram": (report.slack_histogram, {"samples": SAMPLE}),
        "report.tikz_diagram": (report.tikz_diagram, {"source": WITNESS}),
        "report.transition_diagram": (report.transition_diagram, {"fields": WITNESS, "title": ""}),
        "report.verdict_latex": (report.verdict_latex, {"verdict": VERIFICATION["id/flow"], "source": ""}),
        "report.verdicts_table": (report.verdicts_table, {"verification": VERIFICATION, "columns": ()}),
        "report.witness_latex": (report.witness_latex, {"source": WITNESS}),
        "report.write": (report.write, {"table": table, "directory": HERE, "name": "n", "suffixes": (".csv",)}),
        "report.write_audit": (report.write_audit, {"audit": AUDIT, "directory": None, "name": "audit"}),
        "testing.targeted": (targeted, {"claim": slack, "q": None, "label": ""}),
        "strategies.quantities_for": (strategies.quantities_for, {"claim": bounds.get("trpo/tv")}),
        "strategies.rounded": (strategies.rounded, {"exact": {}}),
        "strategies.policies": (strategies.policies, defaults(strategies.policies, mdp=MDP)),
        **{f"divergence.{name}": (getattr(divergence, name), {"p": OLD, "q": NEW, "axis": -1}) for name in DIVERGENCES},
        "divergence.kl_div": (divergence.kl_div, {"p": OLD, "q": NEW}),
        "divergence.renyi": (divergence.renyi, {"p": OLD, "q": NEW, "order": 0.5, "axis": -1}),
        "polylog": (polylog.polylog, {"order": 2.0, "x": 0.5}),
        "landscape.improvement_path": (
            landscape.improvement_path,
            {"mdp": MDP, "problem": tt.MaxKL(0.01), "steps": 1, "old": OLD},
        ),
        "landscape.policies_at": (landscape.policies_at, {"points": [0.5, 0.5]}),
        "landscape.policy_square": (
            landscape.policy_square,
            {"mdp": MDP, "old": OLD, "delta": 0.01, "bound": "trpo/kl", "problems": None, "resolution": 5},
        ),
        "landscape.value_polytope": (landscape.value_polytope, {"mdp": MDP, "paths": None, "resolution": 5}),
        "integrations.Recorder": (integrations.Recorder, defaults(integrations.Recorder, mdp=MDP)),
        "integrations.record": (integrations.record, defaults(integrations.record, policies=[OLD, NEW], mdp=MDP)),
        "verification.RunDirectory": (verification.RunDirectory, {"path": None, "settings": {}, "codes": None}),
        "verification.merged": (verification.merged, {"tallies": []}),
        "verification.read_run": (verification.read_run, {"path": HERE / "none"}),
        **of_updates(),
        **of_searches(),
    }


SLOW = {
    ("verify", "which"): (None,),
    **{("worst_case", name): (3,) for name in ("states", "seed", "effort")},
    ("worst_case", "actions"): (None, 3),
    ("worst_case", "horizon"): (None,),
    **{("falsify", name): (3,) for name in ("seed", "effort")},
}
"""Those of `WRONG` that are valid, and would run the whole catalogue or search for seconds."""
ROOMS = {
    "": tt,
    "zoo.": zoo,
    "io.": io,
    "bounds.": bounds,
    "claims.": claims,
    "report.": report,
    "landscape.": landscape,
    "updates.": updates,
}
ELSEWHERE = {
    *("io.from_gym", "io.time_limit", "io.from_quantecon", "io.read_cassandra", "io.read_mat"),
}
"""Readers whose objects need another library."""


def without_entry(known):
    """Public functions that have arguments and are neither here nor elsewhere."""
    for room, module in ROOMS.items():
        for name in module.__all__:
            function = getattr(module, name)
            if inspect.isfunction(function) and inspect.signature(function).parameters:
                full = f"{room}{name}"
                there = {name, full} if module is updates else {full}
                if not (there & known.keys() or full in ELSEWHERE or function is tt.claim):
                    yield full


def main(every):
    """Write the calls that raise another error than one of the package, a line each, and how many raised one of it.

    Of every so many-th function.
    """
    warnings.simplefilter("ignore")
    os.chdir(HERE)
    files()
    refused, known = 0, calls()
    for name in without_entry(known):
        sys.stdout.write(f"{name} has no entry\n")
    for name, (function, valid) in [*known.items()][::every]:
        for argument in valid:
            for wrong in WRONG:
                if any(wrong is valid_one for valid_one in SLOW.get((name, argument), ())):
                    continue
                try:
                    function(**{**valid, argument: wrong})
                except tt.TrpoTheoryError:
                    refused += 1
                except Exception as error:
                    said = f"{name}({argument}={wrong!r}): {type(error).__name__}: {error}"
                    sys.stdout.write(f"{said[:200]!r}\n")
    sys.stdout.write(f"{refused}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
