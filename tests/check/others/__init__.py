"""Third-party images. `docker-bake.hcl` builds them; `test_others.py` knows what is true of each."""
