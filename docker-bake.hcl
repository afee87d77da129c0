# The image graph, and the only list of images.
#
#   docker buildx bake                 samebox/train:cpu and samebox/serve:cpu
#   docker buildx bake registry        samebox/registry:latest, the registry behind the emulator's ECR
#   docker buildx bake localstack      samebox/localstack:latest, the rest of AWS for `samebox up --localstack`
#   docker buildx bake gpu             the CUDA 11.6 pair
#   docker buildx bake cu118           the CUDA 11.8 pair, on a root made of Debian's packages; fetches about 3 GB
#   docker buildx bake validate        lint and in-image checks; leaves no image behind
#   REGISTRY=localhost:4566 docker buildx bake --push
#                                      pushes localhost:4566/samebox/train:cpu and …/samebox/serve:cpu. REGISTRY may be the
#                                      emulator's or AWS's (<account>.dkr.ecr.<region>.amazonaws.com); the repositories
#                                      samebox/train and samebox/serve must be there, and docker logged in.
#
#   root + python -> base -> framework -> train, serve
#                         -> tools (uv), devel (compilers): built with, never shipped
#
# Each arrow is a named context: a Dockerfile says FROM base, this file says what base is.
#
# On a network without Docker Hub scripts/roots makes what ROOTS names and says so in docker-bake.override.hcl.

variable "REGISTRY" {
  default = ""
}

variable "TAG" {
  # The tag of every image is its accelerator, with this behind it where it is set: train:cpu-1.2.0.
  default = ""
}

variable "VERSION" {
  default = "0.1.0"
}

variable "REVISION" {
  # The commit, for a label; a release sets it.
  default = ""
}

variable "CA_BUNDLE" {
  # A PEM file that package downloads trust during the build, for networks whose proxy opens TLS. A build secret: it is in
  # no layer. scripts/roots sets it to the host's own bundle.
  default = ""
}

variable "PACKAGE_INDEX" {
  # A file with one line, the URL of a PyPI mirror, for networks that have one. A build secret too.
  default = ""
}

variable "ROOTS" {
  # Everything that is pulled.
  default = {
    bookworm        = "docker-image://docker.io/library/debian:bookworm-slim"
    bookworm-python = "docker-image://docker.io/library/python:3.10-slim-bookworm"
    # LocalStack's alone; where images cannot be pulled, scripts/roots --localstack makes it.
    bookworm-python-3-13 = "docker-image://docker.io/library/python:3.13-slim-bookworm"
    cu116           = "docker-image://docker.io/nvidia/cuda:11.6.2-cudnn8-runtime-ubuntu20.04"
    cu116-devel     = "docker-image://docker.io/nvidia/cuda:11.6.2-cudnn8-devel-ubuntu20.04"
    # Debian bullseye has Ubuntu 20.04's glibc 2.31 and OpenSSL 1.1, so its CPython runs there.
    focal-python    = "docker-image://docker.io/library/python:3.10-slim-bullseye"
    # Made, not pulled, on every network: CUDA 11.8 from Debian's and PyPI's packages. scripts/roots --cuda makes them alone.
    cu118           = "target:root-cu118"
    cu118-devel     = "target:root-cu118-devel"
  }
}

variable "LOCAL_ROOTS" {
  # Those of ROOTS that this machine makes itself; docker-bake.override.hcl sets it.
  default = {}
}

variable "ACCELERATORS" {
  # root, devel, python   which of ROOTS ships, which has the compilers' part (nvcc), where CPython 3.10 comes from
  # libraries             the shared libraries that this CPython loads, by the distribution's names
  # lock                  images/framework/<lock>.txt
  # horovod               environment of Horovod's compilation: kernels for SageMaker's p3, g4dn, p4 and g5; nvcc 11.8
  #                       takes no GCC newer than 11
  # budget                the most that train and serve may weigh uncompressed, in MB; tests/images holds it
  default = {
    cpu = {
      root      = "bookworm"
      devel     = "bookworm"
      python    = "bookworm-python"
      libraries = "libbz2-1.0 libffi8 liblzma5 libncursesw6 libreadline8 libsqlite3-0 libssl3 libuuid1 zlib1g"
      lock      = "cpu"
      horovod   = "HOROVOD_CPU_OPERATIONS=MPI"
      budget    = { train = "2300", serve = "2000" }
    }
    cu116 = {
      root      = "cu116"
      devel     = "cu116-devel"
      python    = "focal-python"
      libraries = "libbz2-1.0 libffi7 liblzma5 libncursesw6 libreadline8 libsqlite3-0 libssl1.1 libuuid1 zlib1g"
      lock      = "cuda"
      horovod   = "HOROVOD_GPU_OPERATIONS=NCCL HOROVOD_BUILD_CUDA_CC_LIST=70,75,80,86 HOROVOD_CUDA_HOME=/usr/local/cuda"
      budget    = { train = "9000", serve = "9000" }
    }
    cu118 = {
      root      = "cu118"
      devel     = "cu118-devel"
      python    = "bookworm-python"
      libraries = "libbz2-1.0 libffi8 liblzma5 libncursesw6 libreadline8 libsqlite3-0 libssl3 libuuid1 zlib1g"
      lock      = "cuda"
      horovod   = "HOROVOD_GPU_OPERATIONS=NCCL HOROVOD_BUILD_CUDA_CC_LIST=70,75,80,86 HOROVOD_CUDA_HOME=/usr HOROVOD_NCCL_HOME=/usr/local CC=gcc-11 CXX=g++-11"
      budget    = { train = "9000", serve = "9000" }
    }
  }
}

function "reference" {
  params = [name, tag]
  result = join("", [REGISTRY == "" ? "" : "${REGISTRY}/", "samebox/${name}:${tag}", TAG == "" ? "" : "-${TAG}"])
}

function "root" {
  params = [name]
  result = merge(ROOTS, LOCAL_ROOTS)[name]
}

group "default" {
  targets = ["train-cpu", "serve-cpu"]
}

group "gpu" {
  targets = ["train-cu116", "serve-cu116"]
}

group "cu118" {
  targets = ["train-cu118", "serve-cu118"]
}

group "validate" {
  targets = ["lint", "check-train-cpu", "check-serve-cpu"]
}

target "_common" {
  context = "."
  secret = concat(
    CA_BUNDLE == "" ? [] : ["id=ca,src=${CA_BUNDLE}"],
    PACKAGE_INDEX == "" ? [] : ["id=index,src=${PACKAGE_INDEX}"],
  )
  # CreateModel refuses OCI manifests, and the index that an attestation makes of an image.
  output = ["type=image,oci-mediatypes=false"]
  attest = ["type=provenance,disabled=true", "type=sbom,disabled=true"]
  labels = merge(
    {
      "org.opencontainers.image.licenses" = "Apache-2.0"
      "org.opencontainers.image.version"  = VERSION
    },
    REVISION == "" ? {} : { "org.opencontainers.image.revision" = REVISION },
  )
}

target "root-cu118" {
  inherits   = ["_common"]
  dockerfile = "images/cuda/Dockerfile"
  target     = "runtime"
  contexts = {
    root  = root("bookworm")
    tools = "target:tools-cpu"
  }
  tags = ["samebox/root:cu118"]
}

target "root-cu118-devel" {
  inherits = ["root-cu118"]
  target   = "devel"
  tags     = ["samebox/root:cu118-devel"]
}

target "base" {
  matrix     = { accelerator = keys(ACCELERATORS) }
  name       = "base-${accelerator}"
  inherits   = ["_common"]
  dockerfile = "images/base/Dockerfile"
  contexts = {
    root   = root(ACCELERATORS[accelerator].root)
    python = root(ACCELERATORS[accelerator].python)
  }
  args = { LIBRARIES = ACCELERATORS[accelerator].libraries }
  tags = [reference("base", accelerator)]
}

target "devel-root" {
  # The base once more, on the root that has the compilers' part. On cpu it is the same root, and the build knows it.
  matrix     = { accelerator = keys(ACCELERATORS) }
  name       = "devel-root-${accelerator}"
  inherits   = ["base-${accelerator}"]
  contexts   = { root = root(ACCELERATORS[accelerator].devel) }
  tags       = ["samebox/devel-root:${accelerator}"]
}

target "devel" {
  matrix     = { accelerator = keys(ACCELERATORS) }
  name       = "devel-${accelerator}"
  inherits   = ["_common"]
  dockerfile = "images/devel/Dockerfile"
  contexts   = { base = "target:devel-root-${accelerator}" }
  tags       = ["samebox/devel:${accelerator}"]
}

target "tools" {
  matrix     = { accelerator = keys(ACCELERATORS) }
  name       = "tools-${accelerator}"
  inherits   = ["_common"]
  dockerfile = "images/tools/Dockerfile"
  contexts   = { base = "target:base-${accelerator}" }
  tags       = ["samebox/tools:${accelerator}"]
}

target "framework" {
  matrix     = { accelerator = keys(ACCELERATORS) }
  name       = "framework-${accelerator}"
  inherits   = ["_common"]
  dockerfile = "images/framework/Dockerfile"
  contexts = {
    base  = "target:base-${accelerator}"
    devel = "target:devel-${accelerator}"
    tools = "target:tools-${accelerator}"
  }
  args = {
    LOCK    = ACCELERATORS[accelerator].lock
    HOROVOD = ACCELERATORS[accelerator].horovod
  }
  tags = [reference("framework", accelerator)]
}

target "train" {
  matrix     = { accelerator = keys(ACCELERATORS) }
  name       = "train-${accelerator}"
  inherits   = ["_common"]
  dockerfile = "images/train/Dockerfile"
  contexts = {
    devel     = "target:devel-${accelerator}"
    framework = "target:framework-${accelerator}"
    tools     = "target:tools-${accelerator}"
  }
  tags = [reference("train", accelerator)]
  labels = {
    "org.opencontainers.image.title"       = "samebox/train"
    "org.opencontainers.image.description" = "Trains under SageMaker's contract: TensorFlow, Keras, Horovod, sagemaker-training"
    "samebox.accelerator"                  = accelerator
    "samebox.size-budget-mb"               = ACCELERATORS[accelerator].budget.train
  }
}

target "serve" {
  matrix     = { accelerator = keys(ACCELERATORS) }
  name       = "serve-${accelerator}"
  inherits   = ["_common"]
  dockerfile = "images/serve/Dockerfile"
  contexts = {
    framework = "target:framework-${accelerator}"
    tools     = "target:tools-${accelerator}"
  }
  tags       = [reference("serve", accelerator)]
  labels = {
    "org.opencontainers.image.title"       = "samebox/serve"
    "org.opencontainers.image.description" = "Serves under SageMaker's contract: /ping and /invocations with Flask and gunicorn"
    "samebox.accelerator"                  = accelerator
    "samebox.size-budget-mb"               = ACCELERATORS[accelerator].budget.serve
    # The server listens where SAGEMAKER_BIND_TO_PORT says, so the image may stand in a pipeline. It serves one model:
    # the label com.amazonaws.sagemaker.capabilities.multi-models is not set.
    "com.amazonaws.sagemaker.capabilities.accept-bind-to-port" = "true"
  }
}

target "sklearn" {
  inherits   = ["_common"]
  dockerfile = "images/sklearn/Dockerfile"
  contexts = {
    base  = "target:base-cpu"
    devel = "target:devel-cpu"
    tools = "target:tools-cpu"
  }
  tags = [reference("sklearn", "cpu")]
  labels = {
    "org.opencontainers.image.title"       = "samebox/sklearn"
    "org.opencontainers.image.description" = "Trains and serves scikit-learn scripts under SageMaker's contract"
    "samebox.size-budget-mb"               = "900"
    "com.amazonaws.sagemaker.capabilities.accept-bind-to-port" = "true"
  }
}

target "xgboost" {
  inherits   = ["_common"]
  dockerfile = "images/xgboost/Dockerfile"
  contexts = {
    sklearn = "target:sklearn"
    tools   = "target:tools-cpu"
  }
  tags = [reference("xgboost", "cpu")]
  labels = {
    "org.opencontainers.image.title"       = "samebox/xgboost"
    "org.opencontainers.image.description" = "XGBoost under SageMaker's contract: scripts, and the built-in algorithm"
    "samebox.size-budget-mb"               = "1000"
    "com.amazonaws.sagemaker.capabilities.accept-bind-to-port" = "true"
  }
}

target "spark" {
  inherits   = ["_common"]
  dockerfile = "images/spark/Dockerfile"
  contexts = {
    base  = "target:base-cpu"
    tools = "target:tools-cpu"
  }
  tags = [reference("spark", "cpu")]
  labels = {
    "org.opencontainers.image.title"       = "samebox/spark"
    "org.opencontainers.image.description" = "Runs Spark applications as processing jobs of SageMaker, on one host or several"
    "samebox.size-budget-mb"               = "1300"
  }
}

target "registry" {
  inherits   = ["_common"]
  dockerfile = "images/registry/Dockerfile"
  contexts   = { root = root("bookworm") }
  tags       = [REGISTRY == "" ? "samebox/registry:latest" : "${REGISTRY}/samebox/registry:latest"]
  labels = {
    "org.opencontainers.image.title"       = "samebox/registry"
    "org.opencontainers.image.description" = "CNCF Distribution, the registry behind the emulator's ECR"
  }
}

target "localstack" {
  inherits   = ["_common"]
  dockerfile = "images/localstack/Dockerfile"
  contexts = {
    root   = root("bookworm")
    python = root("bookworm-python-3-13")
    tools  = "target:tools-cpu"
  }
  args = { LIBRARIES = ACCELERATORS.cpu.libraries }
  tags = [REGISTRY == "" ? "samebox/localstack:latest" : "${REGISTRY}/samebox/localstack:latest"]
  labels = {
    "org.opencontainers.image.title"       = "samebox/localstack"
    "org.opencontainers.image.description" = "LocalStack, the rest of AWS for the emulator"
  }
}

target "lint" {
  inherits   = ["_common"]
  dockerfile = "images/lint/Dockerfile"
  contexts   = { tools = "target:tools-cpu" }
  output     = ["type=cacheonly"]
}

target "check" {
  # Runs images/check/<image>.py inside the image that it judges.
  matrix = {
    accelerator = keys(ACCELERATORS)
    image       = ["train", "serve"]
  }
  name       = "check-${image}-${accelerator}"
  inherits   = ["_common"]
  dockerfile = "images/check/Dockerfile"
  contexts   = { judged = "target:${image}-${accelerator}" }
  args       = { IMAGE = image, ACCELERATOR = accelerator }
  output     = ["type=cacheonly"]
}
