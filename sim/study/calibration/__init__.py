"""History matching: what observed figures leave of the parameters' ranges."""
