"""Instances at random and by Hypothesis, falsification, worst cases."""
