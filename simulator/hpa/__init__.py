"""The rule by which the Kubernetes HPA (autoscaling/v2) sizes a deployment, time as an argument."""
