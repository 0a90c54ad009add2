"""One pass over a folder of runs: who is due, what has to be asked, what is judged and written."""
