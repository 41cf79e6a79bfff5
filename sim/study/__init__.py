"""Studies of results and of the model: what to ask once the runs are there."""
