"""What states weigh, deny and pay."""
