"""The model against observed figures and simple rivals."""
