"""What random instances are made of; one file an idea."""
