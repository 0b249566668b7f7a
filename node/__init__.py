"""One node: a process that is proposer, acceptor and learner, over gRPC and files."""
