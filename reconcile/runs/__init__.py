"""A run as its folder tells it: metrics.json, call log and evidence, how they are read, checked, edited and sealed."""
