// A policy on a two-state, two-action MDP, in closed form.
// setting: gamma, delta, initial (of state 1), reward[s][a], next[s][a] (probability of going to state 1), old[s].
// A policy is [p0, p1], the probabilities of action 1.

function chainOf(setting, policy) {
  const { gamma, initial, reward, next } = setting;
  const mean = (pair, p) => pair[0] + p * (pair[1] - pair[0]);
  const [r0, r1] = [0, 1].map((s) => mean(reward[s], policy[s]));
  const [q0, q1] = [0, 1].map((s) => mean(next[s], policy[s]));
  const spread = 1 - gamma + gamma * (1 - q1 + q0);
  const rise = (r1 - r0) / spread;
  const value = [(r0 + gamma * q0 * rise) / (1 - gamma), (r1 - gamma * (1 - q1) * rise) / (1 - gamma)];
  const visitation = [
    (1 - initial + (gamma * (1 - q1)) / (1 - gamma)) / spread,
    (initial + (gamma * q0) / (1 - gamma)) / spread,
  ];
  // Q(s, 1) − Q(s, 0), from which A(s, 1) = (1 − p) pull and A(s, 0) = −p pull
  const pull = [0, 1].map((s) => reward[s][1] - reward[s][0] + gamma * (next[s][1] - next[s][0]) * rise);
  return { value, visitation, pull, expectedReturn: (1 - initial) * value[0] + initial * value[1] };
}

// What is asked of the old policy: η, ρ, ε, the pull of action 1 in each state, and C of chain-rule/kl.
function standingAt(setting) {
  const chain = chainOf(setting, setting.old);
  const largest = setting.old.map((p, s) => Math.abs(chain.pull[s]) * Math.max(p, 1 - p));
  const maxAbsAdvantage = Math.max(...largest);
  const coefficient = 2 * maxAbsAdvantage * polylogMinusHalf(setting.gamma);
  return { ...chain, maxAbsAdvantage, coefficient };
}

// The numbers of a step, from its change of the probabilities of action 1 and the KL of each row.
function measured(setting, standing, { change, policy, kl }) {
  const { visitation, pull, expectedReturn } = standing;
  const after = chainOf(setting, policy);
  const sum = (term) => term(0) + term(1);
  const surrogateGain = sum((s) => visitation[s] * pull[s] * change[s]);
  return {
    policy,
    change,
    expected_return_new: after.expectedReturn,
    return_gain: sum((s) => after.visitation[s] * pull[s] * change[s]),
    surrogate: expectedReturn + surrogateGain,
    surrogate_gain: surrogateGain,
    max_kl: Math.max(...kl),
    mean_kl: (1 - setting.gamma) * sum((s) => (visitation[s] > 0 ? visitation[s] * kl[s] : 0)),
  };
}

function compute(setting) {
  const standing = standingAt(setting);
  const rows = setting.old.map((p, s) => rowOf(p, standing.pull[s], standing.visitation[s]));
  const answer = (moves) => measured(setting, standing, assembled(setting.old, rows, moves));
  return {
    expected_return_old: standing.expectedReturn,
    max_abs_advantage: standing.maxAbsAdvantage,
    penalty_coefficient: standing.coefficient,
    visitation: standing.visitation,
    pull: standing.pull,
    steps: {
      penalty: answer(penaltyMoves(rows, standing.coefficient)),
      "max-kl": answer(rows.map((row) => atRadius(row, row.visitation > 0 ? setting.delta : 0))),
      "mean-kl": answer(meanMoves(rows, 1 - setting.gamma, setting.delta)),
    },
  };
}
