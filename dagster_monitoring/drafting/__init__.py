"""First declarations: what a baseline's columns are, told from their names and values."""
