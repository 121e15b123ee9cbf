"""A step (mdp, old, new): its quantities in every representation, and the conversions between them."""
