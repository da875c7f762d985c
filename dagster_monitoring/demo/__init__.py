"""A real model on real data: the project as a user would write it, its data, its world."""
