"""Makes true what the API wrote down: training jobs run, endpoints serve, and a restart changes nothing."""
