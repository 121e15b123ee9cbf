"""One row of an update problem in closed form, one file a divergence."""
