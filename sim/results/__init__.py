"""Results as files: CSVs and a manifest, in and out."""
