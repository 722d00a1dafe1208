"""What the node is measured against: a peer, and floors that no server of their kind can beat."""
