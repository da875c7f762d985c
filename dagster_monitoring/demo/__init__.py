"""A real model on real data, laid out as a user would write it: the project, its data, its world."""
