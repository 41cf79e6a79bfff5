"""The live page: one run in the browser, watched and steered."""
