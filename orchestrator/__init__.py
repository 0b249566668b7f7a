"""The lab around the nodes: worlds, faults, scenarios and the command line."""
