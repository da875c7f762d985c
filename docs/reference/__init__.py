"""The parts of the reference that are told from the code."""
