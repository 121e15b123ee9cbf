"""`python check_proof.py [--from FILE.py] FILE.json...`: each file of evidence proved again, and its theorem printed.

Standard library and mpmath, nothing of the package. What proves each kind is in the modules proof_*.py beside this one; the
proofs on paper are in docs/theory.md. No field is trusted that can be computed; statement, source, note and made_by are text.
A claim of one's own is read from FILE.py, which is run.
Exit status: 0, all are proved; 1, one is rejected; 2, one is no file of evidence.
"""

import json
import sys
from fractions import Fraction as F
from pathlib import Path

import proof_own_claims
from proof_implications import implication
from proof_mean_kl import cover
from proof_mean_kl_interval import interval
from proof_numbers import Rejected, want
from proof_on_mdp import refutation, sharp_lower, worst_case
from proof_step import SPARSE
from proof_supersolutions import earlier, sharp_upper
from proof_updates import update_gap

HEAD = "kind statement theorem source enclosure made_by gamma "
MDP = "transition reward initial old new available "
SETTING = "horizon temperature costs model references weights "
SUPERSOLUTION = "divergence radius slope nodes w price mu nu "
OF_UPDATES = "problem delta coefficient multiplier groups state_labels action_labels costs limits prices"
KINDS = {  # the proof, and the fields that a file may have: one that is not read could say something else
    "refutation": (
        refutation,
        HEAD + MDP + SETTING + "claim relation note verdict slack size noise reference groups file file_sha256",
    ),
    "worst-case": (worst_case, HEAD + MDP + SETTING + "bound ratio size noise reference groups"),
    "sharp-lower": (sharp_lower, HEAD + MDP + "divergence normaliser radius horizon " + " ".join(SPARSE)),
    "sharp-upper": (sharp_upper, HEAD + SUPERSOLUTION + "normaliser horizon steps"),
    "sharp-gap/supersolution": (earlier, HEAD + SUPERSOLUTION + "mean expected normaliser bound"),
    "update-gap": (update_gap, HEAD + MDP + OF_UPDATES),
    "implication": (implication, HEAD + "claim relation verdict method by radius divergence note file file_sha256"),
    "theorem-cover": (cover, HEAD + "constant k tilt shift largest"),
    "theorem-interval": (interval, HEAD + "constant curvature bend outer_bend reach inner nodes w mu nu"),
}
ABOUT_CLAIMS = refutation, worst_case, implication
"""Kinds that may be about a claim of one's own."""


def once(pairs):
    want(len(dict(pairs)) == len(pairs), "a key that occurs twice")
    return dict(pairs)


def check(path, given=None):
    """Whether the file's theorem is proved, with the theorem; or why not. `given` are claims of one's own, by id."""
    try:
        d = json.loads(Path(path).read_text(encoding="utf-8"), parse_float=F, object_pairs_hook=once)
        kind = d.get("kind", "refutation" if "claim" in d else "worst-case")
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r}: of {', '.join(KINDS)} only")
        prove, names = KINDS[kind]
        unread = d.keys() - {*names.split()}
        want(not unread, f"a field of no meaning: {', '.join(sorted(unread))}")
        return True, prove(d, given) if prove in ABOUT_CLAIMS else prove(d)
    except (Rejected, ArithmeticError) as error:
        return False, f"rejected: {error}"
    except (OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        return False, f"not read: {type(error).__name__} {error}"


def main(arguments):
    given = None
    if arguments[:1] == ["--from"] and len(arguments) > 1:
        _, file, *arguments = arguments
        try:
            given = proof_own_claims.read(file)
        except Exception as error:  # of any kind: it is its author's code
            sys.stdout.write(f"{file}: not read: {type(error).__name__} {error}\n")
            return 2
    found = [(path, *check(path, given)) for path in arguments]
    sys.stdout.writelines(f"{path}: {'proved: ' * holds}{text}\n" for path, holds, text in found)
    return max((0 if holds else 1 if text.startswith("rejected") else 2 for _, holds, text in found), default=2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
