"""Policies that nothing beats in several objectives, whatever of the unknown is true."""
