"""Every future at once: a policy from a date on, over many parameter sets and much luck, beside the same without it."""
