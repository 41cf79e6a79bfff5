"""What lets one text of a rule run for one agent or for everybody in all runs."""
