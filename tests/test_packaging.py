"""How the project is set up: locks, virtual environment, contracts, images, targets."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

import grimp
import pytest

from orchestrator import base_image

LOCKS = ("node/requirements.txt", "requirements.txt", "requirements-dev.txt")


def pins(lock: Path) -> dict[str, str]:
    """The version of each package that a lock names."""
    text = lock.read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """The content of pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def targets(root: Path) -> set[str]:
    """The targets of the Makefile, but for those of make itself."""
    text = (root / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z%-]*):(?!=)", text, re.MULTILINE))


class TestLocks:
    @pytest.mark.parametrize("name", LOCKS)
    def test_every_package_is_pinned_and_hashed(self, root: Path, name: str) -> None:
        """A lock with one package unhashed is refused by pip; here it is found first."""
        text = (root / name).read_text(encoding="utf-8")
        entries = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
        assert len(entries) > 4
        for entry in entries:
            assert "==" in entry, entry
            assert "--hash=sha256:" in entry, entry

    @pytest.mark.parametrize("name", LOCKS)
    def test_no_lock_names_a_package_index(self, root: Path, name: str) -> None:
        """Where packages come from is the user's pip's affair."""
        text = (root / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "index" not in text

    def test_a_smaller_lock_is_part_of_the_larger_one(self, root: Path) -> None:
        """A node in the image runs the versions that were tested."""
        node, lab, tests = (pins(root / name) for name in LOCKS)
        assert node.items() < lab.items() < tests.items()

    def test_the_lock_holds_what_the_project_depends_on(
        self, root: Path, project: dict[str, Any]
    ) -> None:
        """A dependency that isn't locked would be missing from .venv."""
        names = {name.replace(".", "-") for name in project["project"]["dependencies"]}
        assert names <= set(pins(root / "requirements.txt"))


class TestVirtualEnvironment:
    """`.ci/venv`, with a Python that only writes down what it was asked to do."""

    @pytest.fixture
    def tree(self, root: Path, tmp_path: Path) -> Path:
        """A tree in a path with blanks, beside a recording Python."""
        tree = tmp_path / "a tree with blanks"
        (tree / ".ci").mkdir(parents=True)
        shutil.copy(root / ".ci" / "venv", tree / ".ci" / "venv")
        for name in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
            (tree / name).write_text("one\n", encoding="utf-8")
        python = tmp_path / "bin" / "python3"
        python.parent.mkdir()
        python.write_text(
            "#!/bin/sh\n"
            'echo "$*" >> "$RECORD"\n'
            'case "$*" in\n'
            '  "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;\n'
            '  *"pip install"*) exit "${PIP_EXIT:-0}" ;;\n'
            "esac\n",
            encoding="utf-8",
        )
        python.chmod(0o755)
        return tree

    def set_up(self, tree: Path, level: str = "run", **environment: str) -> tuple[int, str, str]:
        """Run the set-up; its exit code, what Python was asked, what was said."""
        record = tree.parent / "record"
        record.unlink(missing_ok=True)
        path = f"{tree.parent / 'bin'}:/usr/bin:/bin"
        done = subprocess.run(
            [str(tree / ".ci" / "venv"), level],
            env={"PATH": path, "RECORD": str(record), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        asked = record.read_text(encoding="utf-8") if record.exists() else ""
        return done.returncode, asked, done.stdout

    def test_the_second_time_nothing_is_done(self, tree: Path) -> None:
        """So a second `make demo` is instantaneous and needs no network."""
        code, asked, _ = self.set_up(tree)
        assert code == 0
        assert "--require-hashes --requirement requirements.txt" in asked
        assert self.set_up(tree) == (0, "", "")

    def test_a_changed_lock_is_installed(self, tree: Path) -> None:
        """The stamp is keyed to the lock's content, not to its time."""
        self.set_up(tree)
        (tree / "requirements.txt").touch()
        assert self.set_up(tree) == (0, "", "")
        (tree / "requirements.txt").write_text("two\n", encoding="utf-8")
        assert "--requirement requirements.txt" in self.set_up(tree)[1]

    def test_a_set_up_that_failed_is_done_again(self, tree: Path) -> None:
        """An interrupted one leaves no stamp, and the next one mends it."""
        code, _, said = self.set_up(tree, PIP_EXIT="1")
        assert code == 1
        assert "reaches a package index" in said
        code, asked, _ = self.set_up(tree)
        assert code == 0
        assert "--require-hashes" in asked

    def test_the_tests_set_up_serves_the_lab_too(self, tree: Path) -> None:
        """Going from `make test` to `make demo` installs nothing."""
        self.set_up(tree, "dev")
        assert self.set_up(tree, "run") == (0, "", "")

    def test_a_moved_tree_gets_a_new_one(self, tree: Path) -> None:
        """The scripts in .venv hold the path that it was made in."""
        self.set_up(tree)
        moved = tree.rename(tree.parent / "moved")
        assert "-m venv .venv" in self.set_up(moved)[1]

    def test_an_old_python_is_refused_in_one_sentence(self, tree: Path) -> None:
        """It says what is needed and how to name another Python."""
        old = tree.parent / "bin"
        for name in ("python3", "python3.11", "python3.12", "python3.13"):
            (old / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
            (old / name).chmod(0o755)
        code, _, said = self.set_up(tree)
        assert code == 1
        assert said.count("\n") == 1
        assert "Python 3.11 or newer is needed" in said
        assert "make PYTHON=" in said

    def test_a_python_without_venv_is_refused_in_one_sentence(self, tree: Path) -> None:
        """Debian ships Python without it."""
        python = tree.parent / "bin" / "python3"
        python.write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1 ;; esac\n', encoding="utf-8")
        code, _, said = self.set_up(tree)
        assert code == 1
        assert said.count("\n") == 1
        assert "apt-get install python3-venv" in said


class TestImportContracts:
    @pytest.fixture
    def contract(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> Any:
        """The contract's class, which lies beside the checks that use it."""
        monkeypatch.syspath_prepend(str(root / ".ci"))
        import import_contracts  # noqa: PLC0415 - on the path from here on

        return import_contracts.OnlyContract

    def foreign(self, contract: Any, folder: Path, **options: Any) -> list[tuple[str, str]]:
        """The imports in a package named `shop` that a contract finds."""
        sys.path.insert(0, str(folder))
        try:
            graph = grimp.build_graph("shop", include_external_packages=True, cache_dir=None)
        finally:
            sys.path.remove(str(folder))
        rule = contract("test", session_options={}, contract_options=options)
        found: list[tuple[str, str]] = rule.check(graph, verbose=False).metadata["foreign"]
        return found

    @pytest.fixture
    def shop(self, tmp_path: Path) -> Path:
        """A package whose till imports a shelf, the standard library and click."""
        package = tmp_path / "shop"
        package.mkdir()
        (package / "__init__.py").write_text("", encoding="utf-8")
        (package / "shelf.py").write_text("import json\n", encoding="utf-8")
        (package / "till.py").write_text(
            "import json\nimport click\nfrom shop import shelf\n", encoding="utf-8"
        )
        return tmp_path

    def test_what_no_row_allows_is_found(self, contract: Any, shop: Path) -> None:
        """Another package of ours and a third party's are both found."""
        assert self.foreign(contract, shop, source="shop.till") == [
            ("shop.till", "click"),
            ("shop.till", "shop.shelf"),
        ]

    def test_what_a_row_allows_is_not_found(self, contract: Any, shop: Path) -> None:
        """Neither is the standard library."""
        allowed = ["click", "shop.shelf"]
        assert self.foreign(contract, shop, source="shop.till", allowed=allowed) == []

    def test_a_module_apart_is_left_to_its_own_row(self, contract: Any, shop: Path) -> None:
        """So that one module may have what its package may not."""
        assert self.foreign(contract, shop, source="shop", apart_from=["shop.till"]) == []
        assert self.foreign(contract, shop, source="shop") == [("shop.till", "click")]

    def test_every_part_of_the_library_has_a_row(self, root: Path, project: dict[str, Any]) -> None:
        """A new package under paxos/ cannot escape the table."""
        parts = {
            f"paxos.{path.stem}"
            for path in (root / "paxos").iterdir()
            if not path.name.startswith("_") and (path.is_dir() or path.suffix == ".py")
        }
        rows = {row["source"] for row in project["tool"]["importlinter"]["contracts"]}
        assert parts
        assert parts <= rows

    def test_the_contracts_hold(self, root: Path) -> None:
        """Every package imports only what the table in docs/design.md gives it."""
        done = subprocess.run(
            ["make", "--no-print-directory", "imports"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr


class TestMakefile:
    def test_help_lists_every_target_with_a_line(self, root: Path, targets: set[str]) -> None:
        """`make` alone is `make help`."""
        done = subprocess.run(
            ["make"], cwd=root, capture_output=True, text=True, check=True, timeout=120
        )
        listed = dict(re.findall(r"^  make (\S+) +(\S.*)$", done.stdout, re.MULTILINE))
        assert set(listed) == {target.replace("%", "NAME") for target in targets}

    def test_every_target_is_phony(self, root: Path, targets: set[str]) -> None:
        """A folder named `logs` must not keep `make logs` from running."""
        text = (root / "Makefile").read_text(encoding="utf-8")
        phony = set(re.findall(r"^\.PHONY: (\S+)$", text, re.MULTILINE))
        assert phony == {target for target in targets if "%" not in target}

    def test_every_stage_of_ci_is_a_target_that_exists(self, root: Path, targets: set[str]) -> None:
        """A stage that was renamed away would fail only in CI."""
        text = (root / ".ci" / "run").read_text(encoding="utf-8")
        used = set(re.findall(r"make --no-print-directory (\S+)", text))
        assert "test" in used
        assert used <= targets


class TestPackage:
    def test_the_catalogue_is_found_as_package_data(self) -> None:
        """The sentences are read from the package, wherever it is installed."""
        text = resources.files("paxos.events").joinpath("catalogue.json").read_text("utf-8")
        assert json.loads(text)

    def test_shell_scripts_are_well_formed(self, root: Path) -> None:
        """And can be run as they are."""
        scripts = [
            path
            for path in (root / ".ci").iterdir()
            if path.is_file() and path.read_bytes().startswith(b"#!")
        ]
        assert len(scripts) > 3
        for script in scripts:
            assert os.access(script, os.X_OK), script
            subprocess.run(["bash", "-n", str(script)], check=True, timeout=120)


class TestImages:
    def test_the_dockerfile_needs_neither_buildx_nor_a_registry(self, root: Path) -> None:
        """The legacy builder reads it, too."""
        text = (root / "Dockerfile").read_text(encoding="utf-8")
        assert not re.search(r"^#\s*syntax", text, re.MULTILINE)
        assert not re.search(r"^RUN\s+--mount", text, re.MULTILINE)

    def test_the_default_target_is_the_safe_one(self, root: Path) -> None:
        """The last stage is built where no target is named."""
        text = (root / "Dockerfile").read_text(encoding="utf-8")
        assert re.findall(r"^FROM .* AS (\S+)$", text, re.MULTILINE)[-1] == "node"

    def test_apt_sources_of_the_release_are_taken_and_others_left(self, tmp_path: Path) -> None:
        """A vendor's repository may be signed by a key that a new root lacks."""
        folder = tmp_path / "sources.list.d"
        folder.mkdir()
        ours = "Types: deb\nURIs: mirror\nSuites: bookworm bookworm-updates\nComponents: main"
        other = "Types: deb\nURIs: vendor\nSuites: nodistro\nComponents: main"
        (folder / "a.sources").write_text(f"{ours}\n\n{other}\n", encoding="utf-8")
        line = "deb [signed-by=key] mirror bookworm-security main"
        lines = f"# a remark\n{line}\ndeb vendor sdk-bookworm main\ndeb-src mirror bookworm main\n"
        (tmp_path / "sources.list").write_text(lines, encoding="utf-8")
        assert base_image.own_apt_sources(tmp_path) == {
            "own.sources": ours + "\n",
            "own.list": line + "\n",
        }

    def test_a_missing_program_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The sentence says what to install, and no traceback is shown."""
        monkeypatch.setenv("PATH", "")
        with pytest.raises(base_image.ImageError, match="apt-get install mmdebstrap"):
            base_image.make_base_image(print)
        with pytest.raises(base_image.ImageError, match="'docker' is not installed"):
            base_image.has_image("any")

    @pytest.mark.docker
    @pytest.mark.timeout(600)
    def test_only_the_unsafe_image_holds_the_variants(self, root: Path) -> None:
        """The image that `make up` starts cannot be told to break the protocol."""
        base_image.build_images(root, print, ("node", "unsafe"))
        question = "import importlib.util as u; print(u.find_spec('paxos.variants') is not None)"
        run = ["docker", "run", "--rm", "--network=none", "--entrypoint=python"]
        answers = {
            image: subprocess.run(
                [*run, image, "-c", question],
                capture_output=True,
                text=True,
                check=True,
                timeout=240,
            ).stdout.strip()
            for image in (base_image.NODE_IMAGE, base_image.UNSAFE_IMAGE)
        }
        assert answers == {base_image.NODE_IMAGE: "False", base_image.UNSAFE_IMAGE: "True"}
        settings = {
            "NODE": "n1",
            "MEMBERS": "n1",
            "CLUSTER": "lab",
            "STATE_DIR": "/state",
            "LISTEN": "127.0.0.1:7100",
            "CONTROL_LISTEN": "127.0.0.1:7000",
        }
        given = [f"--env=PAXOS_{name}={text}" for name, text in settings.items()]
        for setting in ("VARIANT=small-quorum", "MANUAL=yes", "FAULTS=yes"):
            refused = subprocess.run(
                [
                    *("docker", "run", "--rm", "--network=none", *given),
                    f"--env=PAXOS_UNSAFE_{setting}",
                    base_image.NODE_IMAGE,
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=240,
            )
            assert refused.returncode == 2
            assert "use the image that is built with the target unsafe" in refused.stderr
