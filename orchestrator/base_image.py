"""The images that the containers run, also where no registry can be reached.

The Dockerfile is written for the official Python image.  Where that cannot be
pulled, an image made from Debian packages takes its place under a tag of this
project's own, and the wheels that the build installs are fetched by the host's
pip beforehand, so that the build needs no network at all.

Everything here goes through the ``docker`` command and not through the SDK,
because a user can read, and repeat, what it runs.
"""

import hashlib
import os
import platform
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

OFFICIAL_IMAGE: Final = "python:3.11-slim-bookworm"
BASE_IMAGE: Final = "paxos-lab/base:bookworm"
NODE_IMAGE: Final = "paxos-lab/node:latest"
UNSAFE_IMAGE: Final = "paxos-lab/node:unsafe"

IMAGE_OF_TARGET: Final = {"node": NODE_IMAGE, "unsafe": UNSAFE_IMAGE}
"""What each build target of the Dockerfile is called once it is built."""

BASE_IMAGE_VARIABLE: Final = "PAXOS_LAB_BASE_IMAGE"
"""The environment variable that names another image to build on."""

SUITE: Final = "bookworm"
"""The Debian release of the base image: the one of the official image's tag."""

PYTHON_VERSION: Final = "3.11"
"""The Python of either base image, for which the wheels are chosen."""

# The packages are unpacked and not installed, so their dependencies stand here
# only where no Depends names them: libstdc++6 is what grpc's wheel links
# against, and the rest is what a shell, pip and a health check use.
PACKAGES: Final = (
    "base-files",
    "base-passwd",
    "bash",
    "ca-certificates",
    "coreutils",
    "dash",
    "debianutils",
    "findutils",
    "grep",
    "libc-bin",
    "libgcc-s1",
    "libstdc++6",
    "login",
    "media-types",
    "netbase",
    "passwd",
    "python3",
    "python3-pip-whl",
    "python3-setuptools-whl",
    "python3-venv",
    "sed",
    "tzdata",
)

# What the packages' own scripts would have done, had they been installed.  The
# virtual environment in /usr/local gives `python` and `pip` the paths that
# they have in the official image.
FINISH: Final = r"""
set -eu
root=$1
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
sed 's/:.*/:*:19000:0:99999:7:::/' "$root/etc/passwd" > "$root/etc/shadow"
chmod 640 "$root/etc/shadow"
chroot "$root" /sbin/ldconfig
cat "$root"/usr/share/ca-certificates/mozilla/*.crt \
  > "$root/etc/ssl/certs/ca-certificates.crt"
chroot "$root" /usr/bin/python3 -m venv /usr/local
rm -rf "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale
"""

# The first line of a pull comes once the registry has answered.
REGISTRY_ANSWER_LIMIT_S: Final = 20.0
PULL_LIMIT_S: Final = 600.0
MAKE_LIMIT_S: Final = 600.0
BUILD_LIMIT_S: Final = 900.0
DOWNLOAD_LIMIT_S: Final = 600.0
QUERY_LIMIT_S: Final = 30.0

LAST_LINES_COUNT: Final = 15
"""How much of a failed command's output its error quotes."""


class ImageError(Exception):
    """An image cannot be had; the text says why and what to do next."""


def base_image(say: Callable[[str], None]) -> str:
    """Choose the image to build on, and make or pull it where it is missing.

    An image that is here already is taken as it is, because asking a registry
    that cannot be reached costs its time limit again at each start.

    Args:
        say: Told one sentence about each step that takes more than a moment.

    Returns:
        The name to give to the Dockerfile's ``BASE_IMAGE``.

    Raises:
        ImageError: Neither a pull nor the making of an image worked.
    """
    named = os.environ.get(BASE_IMAGE_VARIABLE)
    if named:
        return named
    for image in (OFFICIAL_IMAGE, BASE_IMAGE):
        if has_image(image):
            return image
    say(f"asking the registry for {OFFICIAL_IMAGE}")
    if pull(OFFICIAL_IMAGE):
        return OFFICIAL_IMAGE
    say("no registry answers, so the base image is made from Debian packages")
    make_base_image(say)
    return BASE_IMAGE


def has_image(image: str) -> bool:
    """Whether the engine holds ``image``."""
    return image_id(image) is not None


def image_id(image: str) -> str | None:
    """The id of ``image``, or ``None`` where the engine doesn't hold it."""
    command = ["docker", "image", "inspect", "--format={{.Id}}", image]
    done = _run(command, limit_s=QUERY_LIMIT_S, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def pull(image: str) -> bool:
    """Pull ``image``; give up early on a registry that does not answer.

    Returns:
        Whether the image is here now.
    """
    process = subprocess.Popen(
        ["docker", "pull", image],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        with selectors.DefaultSelector() as selector:
            assert process.stdout is not None, "the pull's output is piped"
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(REGISTRY_ANSWER_LIMIT_S):
                return False
        process.communicate(timeout=PULL_LIMIT_S)
    except subprocess.TimeoutExpired:
        return False
    finally:
        process.kill()
        process.communicate()
    return process.returncode == 0


def make_base_image(say: Callable[[str], None]) -> None:
    """Make the base image from Debian packages and import it into the engine.

    mmdebstrap unpacks the packages without running their scripts, which needs
    neither root nor a container; the few things that the scripts would have
    done are done afterwards.  The packages come from the machine's own sources
    where these carry the release, else from mmdebstrap's default.

    Raises:
        ImageError: mmdebstrap is missing or failed, or the engine refused.
    """
    if shutil.which("mmdebstrap") is None:
        raise ImageError(
            "the base image is made by mmdebstrap, which is not installed: run "
            "'apt-get install mmdebstrap', or set "
            f"{BASE_IMAGE_VARIABLE} to an image with Python {PYTHON_VERSION}"
        )
    say("unpacking Debian packages, about 20 seconds")
    with tempfile.TemporaryDirectory(prefix="paxos-lab-base-") as folder:
        archive = Path(folder, "base.tar")
        mirrors: list[str] = []
        for name, text in own_apt_sources(Path("/etc/apt")).items():
            file = Path(folder, name)
            file.write_text(text, encoding="utf-8")
            mirrors.append(str(file))
        _run(
            [
                "mmdebstrap",
                "--variant=extract",
                f"--include={','.join(PACKAGES)}",
                "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
                f"--extract-hook={FINISH}",
                "--format=tar",
                SUITE,
                str(archive),
                *mirrors,
            ],
            limit_s=MAKE_LIMIT_S,
        )
        _run(
            [
                "docker",
                "import",
                "--change=ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8",
                '--change=CMD ["python"]',
                "--change=LABEL lab.paxos=1",
                str(archive),
                BASE_IMAGE,
            ],
            limit_s=MAKE_LIMIT_S,
        )
    _run(
        ["docker", "run", "--rm", "--network=none", BASE_IMAGE, "python", "-m", "pip", "--version"],
        limit_s=QUERY_LIMIT_S,
    )
    say(f"{BASE_IMAGE} is ready")


def own_apt_sources(folder: Path) -> dict[str, str]:
    """The entries of a machine's apt sources that carry the base's release.

    Other entries (a vendor's repository, another release) are left out: they
    would add nothing, and may be signed by keys that a new root doesn't hold.

    Args:
        folder: Where the sources lie, ``/etc/apt``.

    Returns:
        The text of a sources file by its name, which tells apt the form of its
        entries; none where the machine has no source of that release.
    """
    stanzas: list[str] = []
    lines: list[str] = []
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for file in files:
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        if file.suffix == ".sources":
            stanzas += _stanzas_of_suite(text)
        elif file.suffix == ".list":
            lines += _lines_of_suite(text)
    texts = {"own.sources": "\n\n".join(stanzas), "own.list": "\n".join(lines)}
    return {name: text + "\n" for name, text in texts.items() if text}


def fill_wheelhouse(root: Path, say: Callable[[str], None]) -> None:
    """Fetch the wheels that an image build installs, checked by their hashes.

    A wheelhouse that was filled from the same lock is left alone, so that a
    second build needs no network.

    Args:
        root: The project's folder, with ``node/requirements.txt``.
        say: Told one sentence where wheels are fetched.

    Raises:
        ImageError: pip could not fetch a wheel.
    """
    house = root / "wheelhouse"
    stamp = house / ".filled-from"
    lock = root / "node" / "requirements.txt"
    machine = _engine_machine()
    key = f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {machine}\n"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == key:
        return
    empty_wheelhouse(root)
    say("fetching the wheels for the image")
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in (17, 28, 34)]
    _run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--require-hashes",
            "--only-binary=:all:",
            "--implementation=cp",
            f"--python-version={PYTHON_VERSION}",
            f"--platform=manylinux2014_{machine}",
            *platforms,
            f"--dest={house}",
            f"--requirement={lock}",
        ],
        limit_s=DOWNLOAD_LIMIT_S,
    )
    stamp.write_text(key, encoding="utf-8")


def empty_wheelhouse(root: Path) -> None:
    """Take all wheels out of the wheelhouse."""
    house = root / "wheelhouse"
    (house / ".filled-from").unlink(missing_ok=True)
    for wheel in house.glob("*.whl"):
        wheel.unlink()


def build_images(
    root: Path, say: Callable[[str], None], targets: Sequence[str] = ("node",)
) -> None:
    """Build the images of the nodes, on whichever base can be had.

    The engine's cache makes this a matter of a second when nothing changed, so
    it is done at each start: an image older than the code would mislead.

    Args:
        root: The project's folder, with the Dockerfile.
        say: Told one sentence about each step that takes more than a moment.
        targets: Names of `IMAGE_OF_TARGET`.

    Raises:
        ImageError: No base image, no wheels, or the build failed.
    """
    base = base_image(say)
    if base == OFFICIAL_IMAGE:
        # Wheels of an older lock would be taken for this one's.
        empty_wheelhouse(root)
    else:
        fill_wheelhouse(root, say)
    for target in targets:
        image = IMAGE_OF_TARGET[target]
        before = image_id(image)
        say(f"building {image} on {base}")
        command = ["docker", "build", "--quiet", "--force-rm", f"--target={target}"]
        command += [f"--build-arg=BASE_IMAGE={base}", f"--tag={image}", str(root)]
        _run(command, limit_s=BUILD_LIMIT_S)
        if before is not None and before != image_id(image):
            # One that a container still uses is refused, and goes another time.
            _run(["docker", "image", "rm", before], limit_s=QUERY_LIMIT_S, check=False)


def remove_images() -> None:
    """Remove the images of the nodes and what their builds left behind.

    The base image stays: it is costly to make, and nothing of a run is in it.
    """
    for image in IMAGE_OF_TARGET.values():
        if has_image(image):
            _run(["docker", "image", "rm", image], limit_s=QUERY_LIMIT_S, check=False)
    prune = ["docker", "image", "prune", "--force", "--filter=label=lab.paxos=1"]
    _run(prune, limit_s=MAKE_LIMIT_S, check=False)


def _stanzas_of_suite(text: str) -> Iterator[str]:
    """The stanzas of a deb822 file that name the base's release."""
    for stanza in re.split(r"\n\s*\n", text.strip()):
        suites = re.search(r"^Suites:(.*)$", stanza, re.MULTILINE)
        if suites and any(_is_suite(word) for word in suites[1].split()):
            yield stanza


def _lines_of_suite(text: str) -> Iterator[str]:
    """The binary entries of a file in one-line form that name the release."""
    for line in text.splitlines():
        words = re.sub(r"\[.*?\]", "", line).split()
        if len(words) > 2 and words[0] == "deb" and _is_suite(words[2]):
            yield line


def _is_suite(word: str) -> bool:
    return word in {SUITE, f"{SUITE}-updates", f"{SUITE}-security"}


def _engine_machine() -> str:
    """The processor of the engine's machine, as a wheel's name spells it."""
    command = ["docker", "version", "--format", "{{.Server.Arch}}"]
    answer = _run(command, limit_s=QUERY_LIMIT_S, check=False).stdout.strip()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(answer, platform.machine())


def _run(
    command: Sequence[str], *, limit_s: float, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command without input and keep what it prints.

    Raises:
        ImageError: The program is missing, took more than ``limit_s``, or,
            where ``check`` is true, ended with another code than 0.
    """
    shown = " ".join(command[:2])
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except FileNotFoundError as exc:
        raise ImageError(
            f"'{command[0]}' is not installed, and '{shown}' is needed for the images"
        ) from exc
    except subprocess.TimeoutExpired as exc:
        raise ImageError(
            f"'{shown}' did not end within {limit_s:.0f} s: is the engine overloaded?"
        ) from exc
    if check and done.returncode != 0:
        last_lines = "\n".join(done.stdout.splitlines()[-LAST_LINES_COUNT:])
        raise ImageError(f"'{shown}' ended with code {done.returncode}:\n{last_lines}")
    return done
