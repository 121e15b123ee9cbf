"""What may return "proved": claims decided in exact rationals and balls, witnesses, update gaps, and `certify`."""
