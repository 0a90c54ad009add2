"""Worlds whose truth is known, passes over them, and what the passes said of them: what `truth.py` is made of.

`runs` are what happened, `twists` what befalls them, `bills` what the provider shows of it and when, `files` what each
run leaves behind. `worlds` is the catalogue, `cells` crosses it with what is recorded and how keys are shared. `passes`
drives the product through the files, `fates` holds what they say against the truth, `tables` and `records` keep and
print it. The product is used as a job uses it, and nothing of it makes the truth.
"""
