"""Attacks on `audit verify`: small archives with everything in them, and whatever somebody may alter in MongoDB."""
