"""The power of the search: of false claims with known margins, how many are refuted, and how soon."""
