"""What a browser is given: nothing of others but what is listed, nothing inline, little of ours."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from equipoise.console.render import FOLDER, POLICY, STATIC, page
from equipoise.engine import Engine

Browse = Callable[[Engine], TestClient[Litestar]]

VENDOR = STATIC / "vendor"
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
OURS = sorted(STATIC.glob("*.js")) + sorted(STATIC.glob("*.css"))
PAGES = ("/shop", "/shop/item?id=sku-3", "/console", "/console/decisions", "/console/decisions/x")


def test_vendored_files_are_what_they_say() -> None:
    """Every file of others is listed with its hash and has its licence beside it."""
    listed = dict(re.findall(r"`([\w.]+)` .* `([0-9a-f]{64})`", (VENDOR / "README.md").read_text()))
    there = {file.name for file in VENDOR.iterdir() if file.suffix in (".js", ".css")}

    assert there == set(listed)
    for name, digest in listed.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
        assert (VENDOR / f"{name.split('.')[0]}.LICENSE").read_text()


def test_tracker_is_small() -> None:
    """At most 4 KB on the wire."""
    assert len(gzip.compress((STATIC / "tracker.js").read_bytes(), 9)) <= 4_096


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_templates_hold_no_inline_code(file: Path) -> None:
    """No style or script in a page: the policy would stop it, and rightly."""
    text = file.read_text()

    assert not re.search(r"\sstyle\s*=|\son\w+\s*=|<style|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)", text)
    assert not re.search(r"https?://|//\w+\.", text)
    assert "|safe" not in text.replace(" ", "")


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_our_files_name_no_other_origin(file: Path) -> None:
    text = file.read_text()

    assert not re.search(r"https?://", text)
    assert not re.search(r"@import|\beval\(|new Function|innerHTML\s*=|insertAdjacentHTML", text)


def test_every_page_has_the_policy(busy: Engine, browse: Browse) -> None:
    """Our own files alone; the page of an error has it too."""
    client = browse(busy)
    for path in PAGES:
        answer = client.get(path)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in POLICY
    assert "default-src 'none'" in POLICY


def test_every_file_that_a_page_names_is_served(busy: Engine, browse: Browse) -> None:
    client = browse(busy)
    named = {
        name
        for path in PAGES
        for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get(path).text)
    }

    assert {"/static/tracker.js", "/static/vendor/uPlot.iife.min.js"} <= named
    for name in named:
        assert client.get(name).status_code == 200


def test_a_name_that_a_template_lacks_is_an_error() -> None:
    """A forgotten value never becomes an empty place in a page."""
    with pytest.raises(Exception, match="'words' is undefined"):
        page("console_missing.html", here="overview", shop="S", language="en")
