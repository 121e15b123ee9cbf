(** * Non-negative kernels with row sums below 1

    K is gamma P_pi, or gamma times the second moments of the ratio.  Everything rests on a maximum principle: in a state
    where d is largest, d <= K d says d <= q d.  Solutions of u = f + K u exist because 1 - K is injective; visitations
    x = b + K^T x are handled by testing them against such u. *)

From mathcomp Require Import all_ssreflect all_algebra.
From mathcomp Require Import ring.
Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Kernel.

Variables (R : realFieldType) (S : finType) (K : S -> S -> R) (q : R).
Hypothesis K_ge0 : forall s t, 0 <= K s t.
Hypothesis K_row : forall s, \sum_t K s t <= q.
Hypothesis q_lt1 : q < 1.

Implicit Types (u f d x b : S -> R).

Lemma maximum_principle d : (forall s, d s <= \sum_t K s t * d t) -> forall s, d s <= 0.
Proof.
move=> d_le s0; rewrite leNgt; apply/negP => d_gt0.
pose m := [arg max_(i > s0 | true) d i]%O.
have m_max i : d i <= d m by rewrite /m; case: Order.TotalTheory.arg_maxP => // j _ jP; apply: jP.
have dm_gt0 : 0 < d m by apply: lt_le_trans d_gt0 (m_max s0).
have : d m <= q * d m.
  apply: le_trans (d_le m) _.
  apply: (@le_trans _ _ (\sum_t K m t * d m)); last by rewrite -mulr_suml ler_wpmul2r // ltW.
  by apply: ler_sum => t _; apply: ler_wpmul2l.
by rewrite leNgt -{2}[d m]mul1r ltr_pmul2r // q_lt1.
Qed.

(** ** Existence: a linear system with trivial kernel *)

Let n := #|S|.

Lemma sum_ordinals (F : S -> R) : \sum_s F s = \sum_(i < n) F (enum_val i).
Proof. by rewrite -big_enum_val; apply: eq_bigl. Qed.

Let system : 'M[R]_n := \matrix_(i, j) ((i == j)%:R - K (enum_val i) (enum_val j)).

Lemma system_injective (v : 'rV[R]_n) : v *m system^T = 0 -> v = 0.
Proof.
move=> vS; pose u s := v 0 (enum_rank s).
have u_eq s : u s = \sum_t K s t * u t.
  have /matrixP/(_ 0 (enum_rank s)) := vS; rewrite !mxE.
  under eq_bigr => j _ do rewrite !mxE enum_rankK mulrBr.
  rewrite sumrB (bigD1 (enum_rank s)) //= eqxx mulr1 big1 ?addr0; last first.
    by move=> j /negPf; rewrite eq_sym => ->; rewrite mulr0.
  move=> /eqP; rewrite subr_eq0 -/(u s) => /eqP ->.
  by rewrite sum_ordinals; apply: eq_bigr => j _; rewrite /u enum_valK mulrC.
have u0 s : u s = 0.
  apply/eqP; rewrite eq_le; apply/andP; split; first by apply: maximum_principle => t; rewrite -u_eq.
  rewrite -oppr_le0; move: s; apply: maximum_principle => t; rewrite {1}u_eq -sumrN.
  by apply: ler_sum => w _; rewrite mulrN.
by apply/rowP => j; rewrite mxE -(enum_valK j) -/(u _) u0.
Qed.

Lemma system_unit : system \in unitmx.
Proof.
rewrite -unitmx_tr -row_free_unit -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0.
by apply: system_injective; rewrite -row_mul mulmx_ker row0.
Qed.

Lemma value_exists f : exists u, forall s, u s = f s + \sum_t K s t * u t.
Proof.
have [v vE] : exists v, system *m v = \col_i f (enum_val i).
  by exists (invmx system *m \col_i f (enum_val i)); rewrite mulKVmx // system_unit.
exists (fun s => v (enum_rank s) 0) => s.
have /matrixP/(_ (enum_rank s) 0) := vE; rewrite !mxE enum_rankK => <-.
rewrite sum_ordinals -big_split /= (bigD1 (enum_rank s)) //= !mxE eqxx enum_rankK.
rewrite mulrBl mul1r subrK [X in _ = _ + X]big1 ?addr0 // => j /negPf.
by rewrite eq_sym => nj; rewrite !mxE enum_rankK nj sub0r mulNr enum_valK addNr.
Qed.

(** ** Values: u = f + K u *)

Definition value_equation f u := forall s, u s = f s + \sum_t K s t * u t.

(** What lies below its own f + K u lies below the value of f. *)
Lemma value_comparison f u w :
  value_equation f u -> (forall s, w s <= f s + \sum_t K s t * w t) -> forall s, w s <= u s.
Proof.
move=> uE w_le s; rewrite -subr_le0; move: s; apply: maximum_principle => s.
under eq_bigr => t _ do rewrite mulrBr.
by rewrite sumrB {1}uE opprD addrA ler_sub // ler_subl_addl.
Qed.

Lemma value_ge0 f u : value_equation f u -> (forall s, 0 <= f s) -> forall s, 0 <= u s.
Proof.
move=> uE f_ge0; apply: (value_comparison uE) => s; rewrite big1 ?addr0 // => t _; exact: mulr0.
Qed.

Lemma value_unique f u u' : value_equation f u -> value_equation f u' -> forall s, u s = u' s.
Proof.
move=> uE uE' s; apply/eqP; rewrite eq_le.
by apply/andP; split; [apply: (value_comparison uE') => t; rewrite -uE | apply: (value_comparison uE) => t; rewrite -uE'].
Qed.

(** Rewards of at most m have values of at most m / (1 - q). *)
Lemma value_le f u m : 0 <= m -> value_equation f u -> (forall s, f s <= m) -> forall s, u s <= m / (1 - q).
Proof.
move=> m_ge0 uE f_le s; rewrite -subr_le0; move: s; apply: maximum_principle => s.
have d_gt0 : 0 < 1 - q by rewrite subr_gt0.
under eq_bigr => t _ do rewrite mulrBr.
rewrite sumrB {1}uE -mulr_suml [f s + _]addrC -addrA ler_add2l ler_subl_addr addrC.
have mE : m = m / (1 - q) - q * (m / (1 - q)) by field; rewrite gt_eqF.
apply: le_trans (f_le s) _; rewrite {1}mE ler_add2l ler_opp2; apply: ler_wpmul2r => //.
by rewrite divr_ge0 // ltW.
Qed.

(** ** Visitations: x = b + K^T x, tested against values *)

Definition visitation_equation b x := forall t, x t = b t + \sum_s x s * K s t.

(** sum x f = sum b u: what is collected is the value at the start. *)
Lemma test_visitation b x f u : visitation_equation b x -> value_equation f u -> \sum_s x s * f s = \sum_s b s * u s.
Proof.
move=> xE uE.
have fE s : f s = u s - \sum_t K s t * u t by rewrite {1}uE addrK.
under eq_bigr => s _ do rewrite fE mulrBr mulr_sumr.
rewrite sumrB exchange_big /= -sumrB; apply: eq_bigr => t _.
under eq_bigr => s _ do rewrite mulrA.
by rewrite -mulr_suml -mulrBl {1}xE addrK.
Qed.

Lemma visitation_exists b : exists x, visitation_equation b x.
Proof.
have [v vE] : exists v, system^T *m v = \col_i b (enum_val i).
  by exists (invmx system^T *m \col_i b (enum_val i)); rewrite mulKVmx // unitmx_tr system_unit.
exists (fun s => v (enum_rank s) 0) => t.
have /matrixP/(_ (enum_rank t) 0) := vE; rewrite !mxE enum_rankK => <-.
rewrite sum_ordinals -big_split /= (bigD1 (enum_rank t)) //= !mxE eqxx enum_rankK.
rewrite mulrBl mul1r [_ * K _ _]mulrC subrK [X in _ = _ + X]big1 ?addr0 // => j /negPf nj.
by rewrite !mxE enum_rankK nj sub0r mulNr enum_valK mulrC addNr.
Qed.

(** x <= b + K^T x lies below the visitation of b. *)
Lemma visitation_comparison b x y :
  visitation_equation b x -> (forall t, y t <= b t + \sum_s y s * K s t) -> forall s, y s <= x s.
Proof.
move=> xE y_le s0.
have [u uE] := value_exists (fun s => (s == s0)%:R).
have u_ge0 := value_ge0 uE (fun s => ler0n R (s == s0)).
pose c t := y t - \sum_s y s * K s t.
have yE : visitation_equation c y by move=> t; rewrite /c subrK.
have pick z : \sum_s z s * (s == s0)%:R = z s0 :> R.
  by rewrite (bigD1 s0) //= eqxx mulr1 big1 ?addr0 // => s /negPf ->; rewrite mulr0.
rewrite -(pick y) -(pick x) (test_visitation yE uE) (test_visitation xE uE).
by apply: ler_sum => t _; apply: ler_wpmul2r => //; rewrite /c ler_subl_addr.
Qed.

Lemma visitation_ge0 b x : visitation_equation b x -> (forall t, 0 <= b t) -> forall s, 0 <= x s.
Proof.
move=> xE b_ge0; apply: (visitation_comparison xE) => t; rewrite big1 ?addr0 // => s _; exact: mul0r.
Qed.

Lemma visitation_unique b x x' : visitation_equation b x -> visitation_equation b x' -> forall s, x s = x' s.
Proof.
move=> xE xE' s; apply/eqP; rewrite eq_le.
by apply/andP; split; [apply: (visitation_comparison xE') => t; rewrite -xE | apply: (visitation_comparison xE) => t; rewrite -xE'].
Qed.

(** The sum of absolute values grows by 1 / (1 - q) at most. *)
Lemma visitation_norm1 b x : visitation_equation b x -> \sum_s `|x s| <= (\sum_s `|b s|) / (1 - q).
Proof.
move=> xE; have [u uE] := value_exists (fun s => Num.sg (x s)).
have sg_le1 (y : R) : Num.sg y <= 1 by case: sgrP => _ //; rewrite ?ler01 // (le_trans _ ler01) // oppr_le0 ler01.
have sgN_le1 (y : R) : - Num.sg y <= 1 by rewrite -sgrN sg_le1.
have u_le := value_le ler01 uE (fun s => sg_le1 (x s)).
have uNE : value_equation (fun s => - Num.sg (x s)) (fun s => - u s).
  by move=> s; rewrite {1}uE opprD -sumrN; congr (_ + _); apply: eq_bigr => t _; rewrite mulrN.
have uN_le := value_le ler01 uNE (fun s => sgN_le1 (x s)).
under eq_bigr => s _ do rewrite normrEsg mulrC.
rewrite (test_visitation xE uE) mulr_suml; apply: ler_sum => s _.
apply: le_trans (ler_norm _) _; rewrite normrM; apply: ler_wpmul2l => //.
by rewrite -div1r ler_norml ler_oppl; apply/andP; split; [exact: uN_le | exact: u_le].
Qed.

End Kernel.
