"""Reconciles containers with the stored desired state: jobs run, endpoints serve, and a restart changes nothing."""
