"""What is said of a run: a status with its reasons, the sentence and the cost, and what of it is written into its file."""
