# Images that nobody built for us: web servers as people put them into a container, sound and with the usual mistakes.
#
#   docker buildx bake -f docker-bake.hcl [-f docker-bake.override.hcl] -f tests/check/others/docker-bake.hcl others
#
# from the project's root; tests/check/others/test_others.py does it. All stand on one layer of packages.

variable "OTHERS" {
  default = ["flask", "flask-mistakes", "fastapi", "litserve", "litserve-port", "litserve-sagemaker", "mlserver", "mlserver-sagemaker"]
}

group "others" {
  targets = [for name in OTHERS : "other-${name}"]
}

target "other-packages" {
  inherits   = ["_common"]
  context    = "tests/check/others"
  dockerfile = "packages/Dockerfile"
  contexts = {
    base  = "target:base-cpu"
    tools = "target:tools-cpu"
    fetch = "images/fetch"
  }
  output = ["type=cacheonly"]
}

target "other" {
  matrix     = { name = OTHERS }
  name       = "other-${name}"
  inherits   = ["_common"]
  context    = "tests/check/others/${name}"
  dockerfile = "Dockerfile"
  contexts   = { packages = "target:other-packages" }
  tags       = ["samebox-test/other:${name}"]
}
