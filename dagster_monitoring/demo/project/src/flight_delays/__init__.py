"""A model that tells, an hour before departure, whether a flight will arrive late."""
