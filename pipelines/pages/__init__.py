"""The pages that runs leave for people: one per run, and one over all of them."""
