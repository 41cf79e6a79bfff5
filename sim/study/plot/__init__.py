"""A picture of any result: what is drawn, in which words, with which dates."""
