"""A usage log held against the provider's usage and against the bill: two sides, their difference, and its reasons."""
