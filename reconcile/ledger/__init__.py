"""A usage log against the provider: logs read into one table, compared, split into terms, and the reasons of a gap."""
