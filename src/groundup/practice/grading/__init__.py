"""The judge: runs an answer in a process of its own and compares what it says with the reference."""
