"""The laboratory for policy-improvement theory: finite MDPs solved exactly, and the bounds behind TRPO put to the test."""
