"""What a learner should be able to write alone; every exercise in these files is found."""
