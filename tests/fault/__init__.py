"""Real processes on real servers: the program as a user runs it, killed and fed with hostile input."""
