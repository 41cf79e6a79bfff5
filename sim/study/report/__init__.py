"""The report of experiments: a question, its prediction and what came out."""
