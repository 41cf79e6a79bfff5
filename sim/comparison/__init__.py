"""The parts of `compare`: reading, pairing, intervals, tables, figures. They read files, never the model."""
