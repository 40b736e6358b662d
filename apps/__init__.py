"""The rooms of Crossdock, and the modules with one subject that all of them may use."""
