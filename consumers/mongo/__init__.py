"""The one door to MongoDB: what the archive looks like there, and the adapters that write and read it."""
