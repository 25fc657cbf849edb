"""Episodes: the archiver's own lanes on a deterministic loop, in virtual time, with every fault that a seed brings."""
