"""The policies and the decision."""
