"""A pipeline of somebody else's."""
