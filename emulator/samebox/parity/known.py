"""A table of packages and settings: whether a different one can change a prediction, with the source.

"likely": with this alone, the same model has been seen to predict differently, or not to load. "possibly": only if the
model uses it. "hardly": no computation depends on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Weight = Literal["likely", "possibly", "hardly"]
WEIGHTS: tuple[Weight, ...] = ("likely", "possibly", "hardly")


@dataclass(frozen=True)
class Known:
    """What is known of a group's names. `one_sided`: its weight where only one image has it; None: the same."""

    group: str
    names: str  # a regular expression
    weight: Weight
    why: str
    source: str = ""
    one_sided: Weight | None = None

    def speaks_of(self, group: str, name: str) -> bool:
        return self.group == group and re.fullmatch(self.names, name, re.IGNORECASE) is not None


_TENSORFLOW = "TensorFlow guide, Version compatibility: floating-point values of ops may change at any time"
_SKLEARN = "scikit-learn user guide, Model persistence: no other version than the one it was trained with"
_TORCH = "PyTorch notes, Reproducibility: not guaranteed across releases, commits or platforms"
_MKL = "Intel oneMKL, Conditional Numerical Reproducibility"
_ONEDNN = "TensorFlow 2.9 release notes: oneDNN's round-off differs"
_CUDNN = "NVIDIA cuDNN, Reproducibility; cuBLAS, Results Reproducibility: the same only within one release"
_LIBM = "GNU C library manual, Errors in Math Functions"
GONE = "A model or handler that needs it fails where it is not."

TABLE = (
    Known("system", "architecture", "likely", "Other instructions round otherwise, and compiled wheels differ."),
    # Python packages: frameworks first, because that is the order of what is shown.
    Known(
        "Python packages",
        "tensorflow|tf-keras|keras|tensorflow-addons|tensorflow-text|tensorflow-probability",
        "likely",
        "Its kernels compute in another order in each release, and a saved model may load otherwise.",
        _TENSORFLOW,
    ),
    Known(
        "Python packages",
        "torch|torchvision|torchaudio|torchtext|pytorch-lightning",
        "likely",
        "Its kernels differ from release to release.",
        _TORCH,
    ),
    Known(
        "Python packages",
        "scikit-learn|imbalanced-learn|joblib|skops",
        "likely",
        "A model that was pickled with one version may load in another and predict otherwise.",
        _SKLEARN,
    ),
    Known(
        "Python packages",
        "xgboost|lightgbm|catboost",
        "likely",
        "Pickled models are for the version that wrote them; defaults of prediction have changed.",
        "XGBoost, Introduction to Model IO",
    ),
    Known(
        "Python packages",
        "numpy|scipy|pandas|polars|pyarrow|numba|jax|jaxlib|flax|mxnet|cupy.*",
        "likely",
        "What features and predictions are computed with: dtypes, defaults and kernels change between releases.",
        "the projects' release notes; NumPy NEP 50",
        one_sided="likely",
    ),
    Known(
        "Python packages",
        "protobuf",
        "likely",
        "TensorFlow reads graphs with it: another major version does not load them, or falls back to slow code.",
        "protobuf, Cross-Version Runtime Guarantee",
        one_sided="possibly",
    ),
    Known(
        "Python packages",
        "onnx|onnxruntime|openvino|tensorrt|tflite-runtime|treelite.*",
        "likely",
        "It runs the model: graph optimisations and kernels change between releases.",
    ),
    Known(
        "Python packages",
        "transformers|tokenizers|sentencepiece|safetensors|sentence-transformers|spacy|gensim|nltk",
        "likely",
        "It makes of text what the model sees; another version may split it otherwise.",
    ),
    Known(
        "Python packages",
        "pillow|opencv-python|imageio|scikit-image|librosa|soundfile",
        "likely",
        "It decodes and resizes what the model sees; codecs and filters change between releases.",
        "Pillow release notes (resize, libjpeg-turbo)",
        one_sided="possibly",
    ),
    Known(
        "Python packages",
        "h5py|cloudpickle|dill|statsmodels|category-encoders|feature-engine|mlflow|bottleneck|numexpr",
        "possibly",
        "Models are stored, or features made, with it.",
        one_sided="possibly",
    ),
    Known(
        "Python packages",
        "tzdata|pytz|python-dateutil|babel|regex|pyicu|ftfy|unidecode",
        "possibly",
        "Rules for times or texts that features may be made of.",
        one_sided="hardly",
    ),
    Known(
        "Python packages",
        "threadpoolctl|mkl.*|intel-openmp|openblas.*|blis|nvidia-.*|triton",
        "possibly",
        "It decides which kernels compute, and with how many threads.",
        _MKL,
    ),
    Known(
        "Python packages",
        r"pip|setuptools|wheel|packaging|pkg-resources|virtualenv|uv|poetry.*|flask.*|gunicorn|gevent|greenlet|uvicorn|"
        r"fastapi|starlette|werkzeug|jinja2|markupsafe|itsdangerous|click|blinker|tornado|aiohttp|httpx|httptools|"
        r"sagemaker.*|boto3|botocore|s3transfer|awscli|jmespath|requests.*|urllib3|certifi|charset-normalizer|idna|"
        r"cryptography|cffi|pycparser|pynacl|bcrypt|paramiko|pyopenssl|pyasn1.*|rsa|cachetools|google-auth.*|oauthlib|"
        r"horovod|mpi4py|tensorboard.*|matplotlib.*|seaborn|plotly|contourpy|cycler|fonttools|kiwisolver|pyparsing|"
        r"ipython|ipykernel|jupyter.*|notebook|pytest.*|mypy.*|ruff|black|psutil|retrying|tenacity|inotify.*|"
        r"werkzeug|zope.*|grpcio.*|markdown|rich|tqdm|colorama|loguru|structlog|prometheus.*|sentry-sdk|docker|six|"
        r"pyyaml|typing-extensions|importlib.*|zipp|attrs|invoke|multi-model-server|torchserve|torch-model-archiver|"
        r"threadpool.*|supervisor|meld3|watchdog|pygments|distlib|filelock|platformdirs",
        "hardly",
        "It serves, trains or builds, and computes no prediction.",
    ),
    Known("Python packages", ".*", "possibly", "Code that handlers or a pickled model may use.", one_sided="hardly"),
    # Python
    Known(
        "Python",
        "version",
        "likely",
        "Pickled code is for one minor version, and packages are other builds for it.",
        "Python, What's New; pickle: Comparison with marshal",
    ),
    Known("Python", "implementation", "likely", "Another interpreter: compiled packages are others, or missing."),
    Known("Python", "search path", "hardly", "Where packages are found; the packages themselves are compared."),
    Known("Python", ".*", "hardly", "Where it is installed."),
    # CUDA and linear algebra
    Known("CUDA", "nccl|cupti", "hardly", "For training on several GPUs, and for profiling."),
    Known("CUDA", ".*", "likely", "On a GPU, its release chooses other kernels, which round otherwise.", _CUDNN),
    Known(
        "numerics",
        "libgomp.*|libiomp.*|libomp.*",
        "possibly",
        "Shares sums out among threads; another order of adding rounds otherwise.",
        _MKL,
    ),
    Known("numerics", "SIMD.*", "possibly", "Wider instructions add in another order.", _MKL),
    Known("numerics", "lib.*", "possibly", "Linear algebra: another library or release rounds otherwise.", _MKL),
    Known("numerics", ".*", "likely", "Another linear algebra library computes, and rounds otherwise.", _MKL),
    # Settings
    Known("threads and switches", "TF_ENABLE_ONEDNN_OPTS", "likely", "Switches TensorFlow's CPU kernels.", _ONEDNN),
    Known("threads and switches", "KERAS_BACKEND", "likely", "Another framework computes."),
    Known(
        "threads and switches",
        "TF_DETERMINISTIC_OPS|TF_CUDNN_\\w+|CUBLAS_WORKSPACE_CONFIG|NVIDIA_TF32_OVERRIDE|"
        "TORCH_ALLOW_TF32.*|XLA_FLAGS|TF_XLA_FLAGS|MKL_CBWR|MKL_ENABLE_INSTRUCTIONS|OPENBLAS_CORETYPE|ONEDNN_.*|DNNL_.*",
        "likely",
        "Chooses other kernels, or another precision.",
    ),
    Known("threads and switches", "CUDA_VISIBLE_DEVICES", "likely", "Decides whether a GPU or the CPU computes."),
    Known(
        "threads and switches",
        "PYTHONHASHSEED",
        "possibly",
        "The order of sets, and so of features made from them.",
        "Python, PYTHONHASHSEED",
    ),
    Known(
        "threads and switches",
        "TF_CPP_.*|NCCL_.*|\\w+_VERBOSE|\\w*LOG\\w*",
        "hardly",
        "Logs and training on several hosts.",
    ),
    Known(
        "threads and switches",
        ".*",
        "possibly",
        "Another number of threads adds in another order, and sums round otherwise.",
        _MKL,
    ),
    Known(
        "locale",
        ".*",
        "possibly",
        "How text is decoded, compared and written: encodings, upper case, decimal commas.",
        "PEP 538, PEP 540; Python locale",
    ),
    Known(
        "time", ".*", "possibly", "Features made of the local time: hours, weekdays, summer time.", "Python datetime"
    ),
    Known(
        "environment",
        "LD_PRELOAD|LD_LIBRARY_PATH|PYTHONPATH|PYTHONHOME",
        "possibly",
        "Other libraries or modules may be found first.",
    ),
    Known("environment", "PYTHONOPTIMIZE", "possibly", "Takes assertions away."),
    Known(
        "environment",
        "NVIDIA_(VISIBLE_DEVICES|DRIVER_CAPABILITIES|REQUIRE_CUDA)",
        "possibly",
        "Decides whether the container gets a GPU.",
        "NVIDIA Container Toolkit",
    ),
    Known(
        "environment",
        "PATH|HOME|HOSTNAME|TERM|SHLVL|PWD|PIP_.*|UV_.*|DEBIAN_FRONTEND|PYTHON(UNBUFFERED|DONTWRITEBYTECODE)|"
        "OMPI_.*|SAGEMAKER_.*|GPG_KEY|PYTHON_\\w+|CUDA_VERSION|NV_.*|LC_TERMINAL.*|GUNICORN_.*|NGINX_.*|(\\w+_)?PORT",
        "hardly",
        "Finds programs, or is for building, training and serving.",
    ),
    Known("environment", ".*", "possibly", "A setting of the image's own: handlers that read it may act otherwise."),
    # The system
    Known(
        "system", "libc", "possibly", "exp, log and sin come from it; its last digits differ between releases.", _LIBM
    ),
    Known("system", "libstdc\\+\\+", "possibly", "Compiled packages compute, sort and draw numbers with it."),
    Known("system", "operating system", "possibly", "Its libraries come along; they are compared one by one, too."),
    Known("system", "user", "hardly", "Which files may be read and written."),
    Known("system", ".*", "possibly", "The machine that Python sees."),
    Known("OS packages", r"libc6|glibc|musl|libm\b.*", "possibly", "exp, log and sin come from it.", _LIBM),
    Known(
        "OS packages",
        r"libstdc\+\+.*|libgomp.*|libgfortran.*|libgcc.*",
        "possibly",
        "Compiled packages compute with it.",
        one_sided="hardly",
    ),
    Known(
        "OS packages",
        r"lib(openblas|blas|lapack|atlas|mkl|blis).*|intel-mkl.*|intel-oneapi.*|openblas.*|lapack|blas",
        "possibly",
        "Linear algebra: another release rounds otherwise.",
        _MKL,
    ),
    Known(
        "OS packages",
        r"(lib)?(cuda|cudnn|cublas|cufft|cusolver|cusparse|curand|nvinfer|tensorrt).*",
        "likely",
        "On a GPU, its release chooses other kernels.",
        _CUDNN,
    ),
    Known(
        "OS packages",
        r"tzdata.*|locales.*|libicu.*|language-pack.*",
        "possibly",
        "Rules for times and texts.",
        one_sided="hardly",
    ),
    Known(
        "OS packages",
        r"lib(jpeg|png|tiff|webp|opencv|sndfile|av|swscale|sox).*|ffmpeg|imagemagick.*",
        "possibly",
        "Decodes images and sound.",
        one_sided="hardly",
    ),
    Known(
        "OS packages",
        r"(lib)?python3?(\.\d+)?(-minimal|-stdlib)?|python3",
        "possibly",
        "The system's own Python.",
        one_sided="hardly",
    ),
    Known("OS packages", ".*", "hardly", "Part of the system around it."),
)
