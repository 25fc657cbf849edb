"""The commands. Each module has `register(app)`, and `deploy.__main__` lists the modules."""
