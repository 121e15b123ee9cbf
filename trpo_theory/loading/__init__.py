"""MDPs, policies and aggregations by the words of the command line: gym:, zoo:, files."""
