"""What writes the description of the model and of its data from the code."""
