"""A run as its folder tells it: the metrics.json, its log and evidence, how they are read, checked, edited and sealed."""
