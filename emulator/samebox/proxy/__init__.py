"""The forward proxy: CONNECT tunnels that end here for AWS's names, and lead on for others."""
