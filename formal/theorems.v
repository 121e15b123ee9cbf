(** * What is proved, and from which axioms: [check] compares what this file prints with theorems.txt *)

From TRPO Require performance_difference total_variation kullback_leibler chain_rule.
From TRPO Require chi_square chi_square_reward chi_square_return supersolution sharp_gap sharp_proof example.
From mathcomp Require Import all_ssreflect all_algebra.
From TRPO Require Import definitions kernel.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.
Set Printing Width 110.
Unset Printing Implicit Defensive.

Check @performance_difference.value_exists_unique. Print Assumptions performance_difference.value_exists_unique.
Check @performance_difference.visitation_exists_unique. Print Assumptions performance_difference.visitation_exists_unique.
Check @performance_difference.performance_difference. Print Assumptions performance_difference.performance_difference.
Check @performance_difference.gap_identity. Print Assumptions performance_difference.gap_identity.
Check @total_variation.visitation_change. Print Assumptions total_variation.visitation_change.
Check @total_variation.trpo_tv. Print Assumptions total_variation.trpo_tv.
Check @total_variation.coupling_tv. Print Assumptions total_variation.coupling_tv.
Check @chi_square.chi2_occupancy. Print Assumptions chi_square.chi2_occupancy.
Check @chi_square.chi2_instance. Print Assumptions chi_square.chi2_instance.
Check @chi_square.chi2_expected_advantage. Print Assumptions chi_square.chi2_expected_advantage.
Check @chi_square.chi2_advantage. Print Assumptions chi_square.chi2_advantage.
Check @chi_square.coefficient_of_variation. Print Assumptions chi_square.coefficient_of_variation.
Check @chi_square_reward.chi2_reward. Print Assumptions chi_square_reward.chi2_reward.
Check @chi_square_return.chi2_return. Print Assumptions chi_square_return.chi2_return.
Check @sharp_gap.sharp_gap_max. Print Assumptions sharp_gap.sharp_gap_max.
Check @sharp_gap.sharp_gap_mean. Print Assumptions sharp_gap.sharp_gap_mean.
Check @sharp_proof.proved_tv. Print Assumptions sharp_proof.proved_tv.
Check @sharp_proof.proved_chi2. Print Assumptions sharp_proof.proved_chi2.
Check @example.example_improves. Print Assumptions example.example_improves.
Check @kullback_leibler.pinsker. Print Assumptions kullback_leibler.pinsker.
Check @kullback_leibler.equation_nine. Print Assumptions kullback_leibler.equation_nine.
Check @kullback_leibler.equation_nine_reverse. Print Assumptions kullback_leibler.equation_nine_reverse.
Check @chain_rule.chain_rule_kl. Print Assumptions chain_rule.chain_rule_kl.
