"""The base year: who is there, and the state that a run starts from."""
