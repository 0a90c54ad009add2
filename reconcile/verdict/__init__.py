"""What is said of a run: a status with its reasons, a sentence, a cost, and what of it is written into its file."""
