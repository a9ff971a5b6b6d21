"""Training: parameter trees, optimisers, the loop, both tracks, and a run of an experiment."""
