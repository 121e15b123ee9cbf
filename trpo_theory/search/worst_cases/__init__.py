"""How tight a bound is: the largest ratio of gap and penalty that a search finds."""
