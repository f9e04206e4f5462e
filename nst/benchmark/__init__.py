"""Times and arithmetic of the networks."""
