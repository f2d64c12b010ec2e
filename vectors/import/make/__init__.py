"""The parts of make.py: one module for each family of formats."""
