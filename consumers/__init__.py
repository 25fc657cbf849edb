"""The Exchange side: lanes that fold events into per-user folders in MongoDB, and the reading side."""
