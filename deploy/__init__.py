"""Composition: the command line, settings and the local stack. The only place that knows both sides."""
