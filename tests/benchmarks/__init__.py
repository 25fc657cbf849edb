"""Rates on real servers, as ratios of two things measured in one run. Nothing here is asserted by a test."""
